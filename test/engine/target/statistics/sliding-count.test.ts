import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SlidingCount } from '../../../../src/engine/target/statistics/sliding-count.ts';

const WINDOW_MS = 60_000;
const BUCKET_MS = 1_000;

const history = fc.array(
  fc.record({ afterMs: fc.oneof(fc.nat(3_000), fc.nat(90_000)), kind: fc.constantFrom<'a' | 'b'>('a', 'b') }),
  { maxLength: 150, size: 'max' },
);

describe('a sliding count', () => {
  it('counts each kind by itself and forgets after the window', () => {
    const count = new SlidingCount(WINDOW_MS, ['a', 'b']);
    count.add('a', 0);
    count.add('b', 500);
    count.add('a', 30_000);
    expect([count.count('a', 59_999), count.count('b', 59_999)]).toEqual([2, 1]);
    expect([count.count('a', 60_000), count.count('b', 60_000)]).toEqual([1, 0]);
    expect([count.count('a', 89_999), count.count('a', 90_000)]).toEqual([1, 0]);
    expect(count.count('a', 10_000_000)).toBe(0);
  });

  it('is right to within a sixtieth of its window: an event is forgotten when it is 59 to 60 s old, as its bucket is', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const count = new SlidingCount(WINDOW_MS, ['a', 'b']);
        const all: { readonly at: number; readonly kind: 'a' | 'b' }[] = [];
        let now = 0;
        for (const { afterMs, kind } of steps) {
          now += afterMs;
          count.add(kind, now);
          all.push({ at: now, kind });
          for (const asked of ['a', 'b'] as const) {
            const within = (ms: number): number =>
              all.filter((event) => event.kind === asked && event.at > now - ms).length;
            const bucketOf = (at: number): number => Math.floor(at / BUCKET_MS);
            const exact = all.filter((event) => event.kind === asked && bucketOf(event.at) > bucketOf(now) - 60).length;
            const counted = count.count(asked, now);
            expect(counted).toBe(exact);
            expect(counted).toBeLessThanOrEqual(within(WINDOW_MS));
            expect(counted).toBeGreaterThanOrEqual(within(WINDOW_MS - BUCKET_MS));
          }
        }
      }),
      { numRuns: 40, seed: 3 },
    );
  });
});
