import { execFileSync } from 'node:child_process';

import type { Check } from './facts.ts';
import { failureReport } from './minimise.ts';
import type { TapeSize } from './random-tape.ts';
import { randomTape } from './random-tape.ts';
import type { Outcome } from './simulation.ts';
import { simulate } from './simulation.ts';
import type { Tape } from './tape.ts';

/** Every so many seeds are lived through twice, the second time without jumps of the wall clock. */
const TWICE_EVERY = 10;

/** Lives seeds through, one after the other; returns what came of them, or throws a report of the first failure. */
export async function liveSeeds(
  seeds: readonly number[],
  checks: readonly Check[],
  size?: TapeSize,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const seed of seeds) {
    const tape = randomTape(seed, size);
    const outcome = await simulate(tape, checks);
    outcomes.push(outcome);
    if (outcome.violations.length > 0) throw new Error(await failureReport(tape, checks, outcome, commit()));
    if (seed % TWICE_EVERY !== 0) continue;
    const again = await simulate(withoutJumps(tape), checks);
    if (again.hash !== outcome.hash) throw new Error(`invariants 34 and 37: seed ${seed} has two histories`);
  }
  return outcomes;
}

/** Returns so many seeds from one on. */
export function seedsFrom(first: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

/** The same tape with a wall clock that stays where it is. */
function withoutJumps(tape: Tape): Tape {
  return { ...tape, wallJumps: tape.wallJumps.map(({ atMs }) => ({ atMs, byMs: 0 })) };
}
