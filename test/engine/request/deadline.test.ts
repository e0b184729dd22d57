import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { DEFAULT_ENGINE_CONFIG } from '../../../src/engine/port/config.ts';
import { requestBudget } from '../../../src/engine/request/deadline.ts';
import { needMs, sliceMs } from '../../../src/engine/request/slices.ts';

const config = DEFAULT_ENGINE_CONFIG;

/** What the C core tells a server of a deadline in milliseconds: one more, rounded up to a hundredth to a thousandth of it. */
function toldByCore(ownMs: number): number {
  const stepMs = 10 ** (Math.floor(Math.log10(ownMs + 1)) - 2);
  return Math.ceil((ownMs + 1) / stepMs) * stepMs;
}

function reserveOf(timeoutMs: number): number {
  return timeoutMs - requestBudget(timeoutMs, config).totalMs;
}

describe('the budget of a request', () => {
  it('keeps 50 ms and 1 % back, 5 % at most', () => {
    expect(requestBudget(60_000, config).totalMs).toBe(59_350);
    expect(requestBudget(5_000, config).totalMs).toBe(4_900);
    expect(requestBudget(1_000, config).totalMs).toBe(950);
    expect(requestBudget(100, config).totalMs).toBe(95);
  });

  it('keeps 1.1 s back at most, and 10.1 s of more than 1,000 s', () => {
    expect([105_000, 300_000, 1_000_000].map(reserveOf)).toEqual([1_100, 1_100, 1_100]);
    expect([1_001_000, 3_600_000].map(reserveOf)).toEqual([10_060, 10_100]);
  });

  it('ends before a client of gRPC’s C core gives up by its own clock, with time for the way home', () => {
    for (let ownMs = 1_000; ownMs <= 3_600_000; ownMs += ownMs < 100_000 ? 1 : 97) {
      const leftMs = ownMs - requestBudget(toldByCore(ownMs), config).totalMs;
      expect(leftMs, `${ownMs} ms`).toBeGreaterThanOrEqual(ownMs < 2_000 ? 39 : 50);
    }
  });

  it('is 600 s where the caller names none, and 3,600 s at most, which is told', () => {
    expect(requestBudget(undefined, config)).toMatchObject({ totalMs: 598_900, isClamped: false });
    expect(requestBudget(3_600_000, config)).toMatchObject({ totalMs: 3_589_900, isClamped: false });
    expect(requestBudget(3_600_001, config)).toMatchObject({ totalMs: 3_589_900, isClamped: true });
    expect(requestBudget(undefined, { ...config, maxTimeoutMs: 1_000 })).toMatchObject({
      totalMs: 950,
      isClamped: false,
    });
  });

  it.each([9.999, 1, 0, -5])('is too short at %d ms', (timeoutMs) => {
    expect(requestBudget(timeoutMs, config).isTooShort).toBe(true);
    expect(requestBudget(10, config).isTooShort).toBe(false);
  });

  it('asks for a second for an attempt, or a quarter of what there is', () => {
    expect(requestBudget(60_000, config).minAttemptMs).toBe(1_000);
    expect(requestBudget(2_000, config).minAttemptMs).toBe(482.5);
  });
});

describe('the time that a later target needs', () => {
  it('is one and a half of its 95th percentile, 2 to 15 s, and 10 s without data', () => {
    expect([undefined, 100, 4_000, 60_000].map((p95) => needMs(p95))).toEqual([10_000, 2_000, 6_000, 15_000]);
  });
});

describe('the slice of an attempt', () => {
  const needs = fc.array(fc.integer({ min: 2_000, max: 15_000 }), { maxLength: 6 });
  const remaining = fc.double({ min: 10, max: 3_600_000, noNaN: true });
  const least = fc.double({ min: 1, max: 1_000, noNaN: true });

  it('is all that remains for the last target', () => {
    fc.assert(
      fc.property(remaining, least, (rem, min) => {
        expect(sliceMs(rem, [], min)).toBe(rem);
      }),
    );
  });

  it('is never more than remains, and at least half of it and the least attempt', () => {
    fc.assert(
      fc.property(remaining, needs, least, (rem, later, min) => {
        const slice = sliceMs(rem, later, min);
        expect(slice).toBeLessThanOrEqual(rem);
        expect(slice).toBeGreaterThanOrEqual(Math.min(rem, Math.max(min, rem / 2)));
      }),
    );
  });

  it('leaves the next two what they need wherever that is no more than half', () => {
    fc.assert(
      fc.property(remaining, needs, least, (rem, later, min) => {
        const kept = (later[0] ?? 0) + (later[1] ?? 0);
        fc.pre(later.length > 0 && kept <= rem / 2 && rem - kept >= min);
        expect(sliceMs(rem, later, min)).toBeCloseTo(rem - kept, 6);
      }),
    );
  });

  it('does not shrink with more time, nor grow with more needs', () => {
    fc.assert(
      fc.property(remaining, remaining, needs, least, (one, other, later, min) => {
        const [less, more] = one < other ? [one, other] : [other, one];
        expect(sliceMs(less, later, min)).toBeLessThanOrEqual(sliceMs(more, later, min));
        expect(sliceMs(less, [...later, 2_000], min)).toBeLessThanOrEqual(sliceMs(less, later, min));
      }),
    );
  });

  it('divides 60 s among five targets without data as 40, 10, 5, 2.5 and 2.5 s, but for the reserve', () => {
    let rem = requestBudget(60_000, config).totalMs;
    const slices = [4, 3, 2, 1, 0].map((later) => {
      const slice = sliceMs(
        rem,
        Array.from({ length: later }, () => needMs(undefined)),
        1_000,
      );
      rem -= slice;
      return slice;
    });
    expect(slices).toEqual([39_350, 10_000, 5_000, 2_500, 2_500]);
    expect(rem).toBe(0);
  });
});
