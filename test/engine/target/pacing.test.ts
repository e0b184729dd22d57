import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { LimitReading } from '../../../src/core/ports.ts';
import { NO_TOKENS, Pacing } from '../../../src/engine/target/pacing.ts';

function pacingAt() {
  const clock = { now: 7_000 };
  return { clock, pacing: new Pacing(() => clock.now) };
}

const requests = (limit: number, remaining: number, resetInMs: number): LimitReading => ({
  dimension: 'requests',
  limit,
  remaining,
  resetInMs,
});
const tokens = (limit: number, remaining: number, resetInMs: number): LimitReading => ({
  ...requests(limit, remaining, resetInMs),
  dimension: 'tokens',
});

describe('pacing', () => {
  it('holds nothing back while nothing is known, or enough is left', () => {
    const { pacing } = pacingAt();
    pacing.sent('m', NO_TOKENS);
    expect(pacing.waitMs('m', NO_TOKENS)).toBe(0);
    pacing.read('m', [requests(10, 1, 10_000)]);
    expect(pacing.waitMs('m', NO_TOKENS)).toBe(0);
  });

  it('holds back what does not fit, until as much as it needs has come back', () => {
    const { clock, pacing } = pacingAt();
    pacing.read('m', [requests(10, 0, 10_000)]);
    expect(pacing.waitMs('m', NO_TOKENS)).toBe(1_000);
    clock.now += 999;
    expect(pacing.waitMs('m', NO_TOKENS)).toBe(1);
    clock.now += 1;
    expect(pacing.waitMs('m', NO_TOKENS)).toBe(0);
  });

  it('takes what was sent since from what is left', () => {
    const { pacing } = pacingAt();
    pacing.read('m', [requests(10, 2, 8_000)]);
    pacing.sent('m', NO_TOKENS);
    expect(pacing.waitMs('m', NO_TOKENS)).toBe(0);
    pacing.sent('m', NO_TOKENS);
    expect(pacing.waitMs('m', NO_TOKENS)).toBe(1_000);
    pacing.read('m', [requests(10, 5, 5_000)]);
    expect(pacing.waitMs('m', NO_TOKENS)).toBe(0);
  });

  it('reckons each dimension with its own tokens, and the slowest counts', () => {
    const { pacing } = pacingAt();
    const estimate = { input: 300, output: 200 };
    pacing.read('m', [tokens(1_000, 499, 10_000)]);
    expect(pacing.waitMs('m', estimate)).toBe(20);
    pacing.read('m', [{ dimension: 'input-tokens', limit: 1_000, remaining: 299, resetInMs: 100_000 }]);
    expect(pacing.waitMs('m', estimate)).toBe(143);
    pacing.read('m', [{ dimension: 'output-tokens', limit: 1_000, remaining: 1, resetInMs: 50_000 }]);
    expect(pacing.waitMs('m', estimate)).toBe(143);
  });

  it('leaves alone what is larger than the whole limit: no time cures that', () => {
    const { pacing } = pacingAt();
    pacing.read('m', [tokens(1_000, 10, 10_000)]);
    expect(pacing.waitMs('m', { input: 1_001, output: 0 })).toBe(0);
    expect(pacing.waitMs('m', { input: 1_000, output: 0 })).toBe(10_000);
  });

  it('forgets at the reset, and after a minute at the latest', () => {
    const { clock, pacing } = pacingAt();
    pacing.read('m', [requests(10, 0, 0)]);
    expect(pacing.waitMs('m', NO_TOKENS)).toBe(0);
    pacing.read('m', [requests(1, 0, 3_600_000)]);
    expect(pacing.waitMs('m', NO_TOKENS)).toBe(60_000);
    clock.now += 60_000;
    expect(pacing.waitMs('m', NO_TOKENS)).toBe(0);
  });

  it('is of one model alone', () => {
    const { pacing } = pacingAt();
    pacing.read('m', [requests(10, 0, 10_000)]);
    expect(pacing.waitMs('other', NO_TOKENS)).toBe(0);
  });

  it('whoever waits as long as told fits, and not a millisecond earlier; never longer than a minute or the reset', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5_000 }),
        fc.nat(5_000),
        fc.nat(120_000),
        fc.array(fc.nat(500), { maxLength: 5 }),
        fc.nat(5_000),
        fc.nat(70_000),
        (limit, rest, resetInMs, sends, need, passedMs) => {
          const { clock, pacing } = pacingAt();
          const remaining = Math.min(rest, limit);
          pacing.read('m', [tokens(limit, remaining, resetInMs)]);
          for (const input of sends) pacing.sent('m', { input, output: 0 });
          clock.now += passedMs;
          const estimate = { input: need, output: 0 };
          const waitMs = pacing.waitMs('m', estimate);
          expect(waitMs).toBeGreaterThanOrEqual(0);
          expect(waitMs).toBeLessThanOrEqual(Math.max(0, Math.min(60_000, resetInMs) - passedMs));
          if (waitMs === 0) return;
          clock.now += waitMs - 1;
          expect(pacing.waitMs('m', estimate)).toBe(1);
          clock.now += 1;
          expect(pacing.waitMs('m', estimate)).toBe(0);
        },
      ),
      { numRuns: 500 },
    );
  });
});
