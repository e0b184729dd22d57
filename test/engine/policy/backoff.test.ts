import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { CLASS_RULES } from '../../../src/core/failure.ts';
import { backoffMs, roundCeilingMs, visitCeilingMs } from '../../../src/engine/policy/backoff.ts';

const LIST = [1_000, 2_000, 4_000, 8_000];

describe('the ceiling of a wait before a round', () => {
  it('is the configured list for one target, whose last value repeats', () => {
    const ceilings = [0, 1, 2, 3, 4, 50].map((repeats) => roundCeilingMs(repeats, 1, 100, LIST));
    expect(ceilings).toEqual([1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
  });

  it('is that of the last repeat that the round has room for, so that several targets together are as patient as one', () => {
    expect([0, 2].map((repeats) => roundCeilingMs(repeats, 2, 4, LIST))).toEqual([2_000, 8_000]);
    expect([0, 1, 3].map((repeats) => roundCeilingMs(repeats, 5, 4, LIST))).toEqual([8_000, 8_000, 8_000]);
    expect(roundCeilingMs(0, 5, 2, LIST)).toBe(2_000);
  });
});

describe('the ceiling of a wait before a repeat within a visit', () => {
  it('is a quarter of a second where another target is available, and otherwise the first of the list', () => {
    expect(visitCeilingMs(CLASS_RULES.overload, true, LIST)).toBe(250);
    expect(visitCeilingMs(CLASS_RULES.overload, false, LIST)).toBe(1_000);
  });

  it.each(['connect', 'reset'] as const)('is 50 ms for %s', (name) => {
    expect(visitCeilingMs(CLASS_RULES[name], true, LIST)).toBe(50);
    expect(visitCeilingMs(CLASS_RULES[name], false, LIST)).toBe(50);
  });

  it('is the first of the list where that is smaller', () => {
    expect(visitCeilingMs(CLASS_RULES.overload, true, [10])).toBe(10);
    expect(visitCeilingMs(CLASS_RULES.connect, true, [10])).toBe(10);
  });
});

describe('a wait', () => {
  it('lies between 0 and its ceiling with full jitter, and is the ceiling without', () => {
    fc.assert(
      fc.property(fc.nat(60_000), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (ceiling, chance) => {
        const waitMs = backoffMs(ceiling, 'FULL', () => chance);
        expect(waitMs).toBeGreaterThanOrEqual(0);
        expect(waitMs).toBeLessThanOrEqual(ceiling);
        expect(backoffMs(ceiling, 'NONE', () => chance)).toBe(ceiling);
      }),
    );
    expect(backoffMs(1_000, 'FULL', () => 0.25)).toBe(250);
  });
});
