import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ConcurrencyLimit } from '../../../src/engine/target/concurrency.ts';

function limitAt() {
  const clock = { now: 100_000 };
  return { clock, limit: new ConcurrencyLimit(() => clock.now) };
}

describe('the concurrency of a target', () => {
  it('is a thousand until the provider complains', () => {
    const { limit } = limitAt();
    expect([limit.limit, limit.isFull(999), limit.isFull(1_000)]).toEqual([1_000, false, true]);
    limit.succeeded(1_000);
    expect(limit.limit).toBe(1_000);
  });

  it.each([
    [100, 70],
    [10, 7],
    [3, 2],
    [2, 1],
    [1, 1],
  ])('with %d under way is cut to %d by a complaint', (inFlight, left) => {
    const { limit } = limitAt();
    limit.complained(inFlight);
    expect(limit.limit).toBe(left);
    expect([limit.isFull(left - 1), limit.isFull(left)]).toEqual([false, true]);
  });

  it('is cut at most once a second, and never raised by a complaint', () => {
    const { clock, limit } = limitAt();
    limit.complained(10);
    clock.now += 999;
    limit.complained(7);
    expect(limit.limit).toBe(7);
    clock.now += 1;
    limit.complained(7);
    expect(limit.limit).toBe(4);
    clock.now += 1_000;
    limit.complained(50);
    expect(limit.limit).toBe(4);
  });

  it('grows by one with each success at the limit and by none below it', () => {
    const { limit } = limitAt();
    limit.complained(10);
    limit.succeeded(6);
    expect(limit.limit).toBe(7);
    limit.succeeded(7);
    limit.succeeded(9);
    expect(limit.limit).toBe(9);
  });

  it('is forgotten a minute after the last complaint', () => {
    const { clock, limit } = limitAt();
    limit.complained(10);
    clock.now += 500;
    limit.complained(10);
    clock.now += 59_999;
    expect(limit.limit).toBe(7);
    clock.now += 1;
    expect(limit.limit).toBe(1_000);
  });

  it('stays between 1 and 1,000 and is cut to no less than 0.7 of what is under way, whatever happens', () => {
    const step = fc.record({
      do: fc.constantFrom('succeeded' as const, 'complained' as const),
      inFlight: fc.integer({ min: 1, max: 1_200 }),
      ms: fc.nat(2_000),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const { clock, limit } = limitAt();
        const model = { limit: 1_000, cutAt: -1e9, complainedAt: -1e9 };
        for (const { do: what, inFlight, ms } of steps) {
          clock.now += ms;
          const { now } = clock;
          if (now - model.complainedAt >= 60_000) model.limit = 1_000;
          if (what === 'succeeded' && inFlight >= model.limit) model.limit = Math.min(1_000, model.limit + 1);
          if (what === 'complained') {
            model.complainedAt = now;
            if (now - model.cutAt >= 1_000) {
              model.cutAt = now;
              model.limit = Math.min(model.limit, Math.max(1, Math.floor(inFlight * 0.7)));
            }
          }
          limit[what](inFlight);
          expect(limit.limit).toBe(model.limit);
          expect(limit.limit).toBeGreaterThanOrEqual(1);
          expect(limit.limit).toBeLessThanOrEqual(1_000);
        }
      }),
    );
  });
});
