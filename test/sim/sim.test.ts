import { describe, expect, it } from 'vitest';

import { ALL_CHECKS } from './checks/all-checks.ts';
import { randomTape, usualTape } from './random-tape.ts';
import { liveSeeds, seedsFrom } from './seeds.ts';
import { simulate } from './simulation.ts';

/** Seeds that have found something, in the engine or in the simulator: of tapes with nothing but sick providers. */
const USUAL_REGRESSIONS = [
  7, 10, 18, 22, 31, 108, 166, 167, 168, 207, 262, 626, 659, 830, 892, 1_002, 1_356, 1_676, 1_712, 2_210, 2_391, 3_231,
  10_950,
];

/** The same of tapes as they are drawn now. */
const REGRESSIONS = [
  17, 64, 1_184, 1_317, 1_804, 2_013, 2_540, 2_779, 2_966, 3_165, 3_639, 12_033, 14_879, 15_134, 23_363,
];

/** Hundreds of requests within two seconds and more: the herd behind an outage. */
const CROWD = { requests: 400, spanMs: 40_000 };

describe('the engine keeps its invariants', () => {
  it('with the seeds that once found something', async () => {
    await liveSeeds(USUAL_REGRESSIONS, ALL_CHECKS, undefined, usualTape);
    await liveSeeds(REGRESSIONS, ALL_CHECKS);
  }, 600_000);

  it('with hundreds of requests at a time', async () => {
    const outcomes = await liveSeeds(seedsFrom(1, 10), ALL_CHECKS, CROWD);
    expect(Math.max(...outcomes.map(({ runs }) => runs.length))).toBeGreaterThan(400);
  }, 600_000);
});

describe('the checks', () => {
  it('are there for every invariant; two of them compare whole histories', () => {
    const numbers = new Set([...ALL_CHECKS.map(({ number }) => Math.floor(number)), 34, 37]);
    expect([...numbers].toSorted((one, other) => one - other)).toEqual(seedsFrom(1, 37));
  });
});

describe('a simulation', () => {
  it('is the same for the same seed, and another for another', async () => {
    const [one, same, other] = [await hashOf(4), await hashOf(4), await hashOf(5)];
    expect(same).toBe(one);
    expect(other).not.toBe(one);
  });

  it('stays what it is when a request is taken from its tape that touches no other', async () => {
    const tape = randomTape(2);
    const last = tape.requests.at(-1);
    const full = await simulate(tape, ALL_CHECKS, true);
    const without = await simulate({ ...tape, requests: tape.requests.slice(0, -1) }, ALL_CHECKS, true);
    const before = (lines: readonly string[]): string[] =>
      lines.filter((line) => Number.parseFloat(line) < (last?.atMs ?? 0));
    expect(before(without.lines)).toEqual(before(full.lines));
    expect(before(full.lines).length).toBeGreaterThan(0);
  });
});

async function hashOf(seed: number): Promise<string> {
  return (await simulate(randomTape(seed), ALL_CHECKS)).hash;
}
