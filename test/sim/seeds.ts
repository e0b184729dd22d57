import { execFileSync } from 'node:child_process';

import type { Check } from './facts.ts';
import { live } from './live.ts';
import { failureReport } from './minimise.ts';
import type { TapeSize } from './random-tape.ts';
import { randomTape } from './random-tape.ts';
import type { Outcome } from './simulation.ts';

/** Lives seeds through, one after the other; returns what came of them, or throws a report of the first failure. */
export async function liveSeeds(
  seeds: readonly number[],
  checks: readonly Check[],
  size?: TapeSize,
  tapeOf = randomTape,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const seed of seeds) {
    const tape = tapeOf(seed, size);
    const outcome = await live(tape, checks);
    outcomes.push(outcome);
    if (outcome.violations.length > 0) throw new Error(await failureReport(tape, checks, outcome, commit()));
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
