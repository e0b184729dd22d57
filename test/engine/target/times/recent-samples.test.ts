import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { RecentSamples } from '../../../../src/engine/target/times/recent-samples.ts';

interface Plain {
  readonly atMs: number;
  readonly ms: number;
  readonly size: number;
}

describe('recent samples', () => {
  it('are as a plain list of the last 128 of ten minutes has them, exactly', () => {
    const step = fc.record({
      afterMs: fc.oneof(fc.integer({ min: 0, max: 4_000 }), fc.constantFrom(0, 60_000, 599_999, 600_000)),
      ms: fc.oneof(fc.double({ min: 0, max: 120_000, noNaN: true }), fc.constantFrom(1, 1, 300)),
      size: fc.integer({ min: 0, max: 200_000 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
        const samples = new RecentSamples();
        const plain: Plain[] = [];
        let now = 0;
        for (const { afterMs, ms, size } of steps) {
          now += afterMs;
          samples.add(ms, size, now);
          plain.push({ atMs: now, ms, size });
          const kept = plain.slice(-128).filter(({ atMs }) => now - atMs < 600_000);
          expect(samples.count(now)).toBe(kept.length);
          const sorted = kept.map((sample) => sample.ms).toSorted((one, other) => one - other);
          for (const share of [0.5, 0.95, 0.99, 1])
            expect(samples.quantileMs(share)).toBe(sorted[Math.ceil(sorted.length * share) - 1]);
          expect(samples.averageSize).toBeCloseTo(kept.reduce((sum, each) => sum + each.size, 0) / kept.length, 6);
        }
      }),
      { numRuns: 60, seed: 7 },
    );
  });

  it('are forgotten when they are ten minutes old', () => {
    const samples = new RecentSamples();
    samples.add(300, 0, 0);
    samples.add(400, 0, 1);
    expect(samples.count(599_999)).toBe(2);
    expect(samples.count(600_000)).toBe(1);
    expect(samples.quantileMs(0.5)).toBe(400);
    expect(samples.count(600_001)).toBe(0);
  });
});
