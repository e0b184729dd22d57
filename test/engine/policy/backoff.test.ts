import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { backoffCeilingMs, backoffMs } from '../../../src/engine/policy/backoff.ts';

const LIST = [1_000, 2_000, 4_000, 8_000];

describe('the ceiling of a wait', () => {
  it('is the configured list, whose last value repeats', () => {
    expect([0, 1, 2, 3, 4, 50].map((repeat) => backoffCeilingMs('overload', repeat, LIST))).toEqual([
      1_000, 2_000, 4_000, 8_000, 8_000, 8_000,
    ]);
  });

  it.each(['connect', 'reset'] as const)('begins at 50 ms and doubles for %s, but stays below the list', (name) => {
    expect([0, 1, 2, 3].map((repeat) => backoffCeilingMs(name, repeat, LIST))).toEqual([50, 100, 200, 400]);
    expect(backoffCeilingMs(name, 30, LIST)).toBe(8_000);
    expect(backoffCeilingMs(name, 1_000, LIST)).toBe(8_000);
    expect(backoffCeilingMs(name, 0, [10])).toBe(10);
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
