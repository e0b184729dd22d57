import { describe, expect, it } from 'vitest';

import { ALL_CHECKS } from './checks/all-checks.ts';
import { liveSeeds, seedsFrom } from './seeds.ts';

/** More with `SIM_SEEDS=20000`. */
const SEEDS = Number(process.env['SIM_SEEDS'] ?? 2_000);
const CHUNK = 100;

/** Tests that live one half of the seeds through: test files run beside each other, tests of one file do not. */
export function describeSeeds(half: 'odd' | 'even'): void {
  const chunks = seedsFrom(0, Math.ceil(SEEDS / CHUNK)).filter((chunk) => chunk % 2 === (half === 'odd' ? 1 : 0));
  describe('the engine keeps its invariants', () => {
    it.each(chunks.map((chunk) => [chunk * CHUNK + 1, (chunk + 1) * CHUNK]))(
      'with seeds %i to %i',
      async (first, last) => {
        const outcomes = await liveSeeds(seedsFrom(first, last - first + 1), ALL_CHECKS);
        const runs = outcomes.flatMap((outcome) => outcome.runs);
        // The worlds are neither all well nor all broken.
        expect(runs.filter(({ result }) => result?.ok === true).length).toBeGreaterThan(runs.length / 4);
        expect(runs.filter(({ result }) => result?.ok === false).length).toBeGreaterThan(runs.length / 50);
      },
      120_000,
    );
  });
}
