import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { LatencyHistogram } from '../../../../src/engine/target/statistics/latency-histogram.ts';

/** The nearest rank of a share among some durations. */
function exactPercentile(durations: readonly number[], share: number): number {
  const sorted = durations.toSorted((first, second) => first - second);
  return sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
}

describe('a latency histogram', () => {
  it('gives percentiles that are right to within a tenth, from 1 ms to an hour', () => {
    const duration = fc.oneof(fc.double({ min: 1, max: 4_000_000, noNaN: true }), fc.integer({ min: 1, max: 2_000 }));
    fc.assert(
      fc.property(
        fc.array(duration, { minLength: 1, maxLength: 200, size: 'max' }),
        fc.constantFrom(0.5, 0.9, 0.95, 0.99, 1),
        (durations, share) => {
          const histogram = new LatencyHistogram();
          for (const ms of durations) histogram.add(ms, 0);
          const ratio = (histogram.percentileMs(share, 0) ?? 0) / exactPercentile(durations, share);
          expect(ratio).toBeGreaterThan(1 / 1.1);
          expect(ratio).toBeLessThan(1.1);
        },
      ),
      { numRuns: 150, seed: 4 },
    );
  });

  it('has nothing to say without data', () => {
    expect(new LatencyHistogram().percentileMs(0.5, 0)).toBeUndefined();
    expect(new LatencyHistogram().count(0)).toBe(0);
  });

  it('forgets a sample after five to ten minutes', () => {
    const histogram = new LatencyHistogram();
    histogram.add(100, 0);
    histogram.add(100, 299_999);
    expect(histogram.count(300_000)).toBe(2);
    histogram.add(100, 300_000);
    expect(histogram.count(599_999)).toBe(3);
    expect(histogram.count(600_000)).toBe(1);
    expect(histogram.count(900_000)).toBe(0);
    expect(histogram.percentileMs(0.5, 900_000)).toBeUndefined();
  });

  it('takes durations beyond its ends for its first and last bucket', () => {
    const histogram = new LatencyHistogram();
    histogram.add(0, 0);
    expect(histogram.percentileMs(1, 0)).toBeLessThan(2);
    histogram.add(1e12, 0);
    expect(histogram.percentileMs(1, 0)).toBeGreaterThan(3_500_000);
  });
});
