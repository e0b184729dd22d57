import type { Check } from './facts.ts';
import type { Violation } from './recorder.ts';
import type { Outcome } from './simulation.ts';
import { simulate } from './simulation.ts';
import type { Tape } from './tape.ts';

/** Every so many seeds are lived through again: without jumps of the wall clock, and as they are. */
const AGAIN_EVERY = 10;

/** Lives a tape through; some are lived through again, since nothing may depend on the wall clock or on what is no part of the tape. */
export async function live(tape: Tape, checks: readonly Check[]): Promise<Outcome> {
  const outcome = await simulate(tape, checks);
  if (outcome.violations.length > 0 || tape.seed % AGAIN_EVERY !== 0) return outcome;
  const violation = (number: number, says: string): Violation => ({ number, says, what: 'two histories', atMs: 0 });
  const again = await simulate(tape, checks);
  if (again.hash !== outcome.hash) {
    return { ...outcome, violations: [violation(37, 'the same tape has the same history')] };
  }
  const wallJumps = tape.wallJumps.map(({ atMs }) => ({ atMs, byMs: 0 }));
  const still = await simulate({ ...tape, wallJumps }, checks);
  if (still.hash === outcome.hash) return outcome;
  return { ...outcome, violations: [violation(34, 'jumps of the wall clock change nothing')] };
}
