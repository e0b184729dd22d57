import type { Check } from './facts.ts';
import { live } from './live.ts';
import type { Outcome } from './simulation.ts';
import { simulate } from './simulation.ts';
import type { Tape } from './tape.ts';

/** Drops requests, faults and disturbances from a failing tape for as long as the same invariant stays broken. */
export async function minimise(tape: Tape, checks: readonly Check[], number: number): Promise<Tape> {
  const stillFails = async (candidate: Tape): Promise<boolean> => {
    const { violations } = await live(candidate, checks);
    return violations[0]?.number === number;
  };
  let least = tape;
  least = { ...least, requests: await fewest(least.requests, (requests) => stillFails({ ...least, requests })) };
  least = { ...least, faults: await fewest(least.faults, (faults) => stillFails({ ...least, faults })) };
  least = { ...least, wallJumps: await fewest(least.wallJumps, (wallJumps) => stillFails({ ...least, wallJumps })) };
  const { operator = [], overloads = [], stalls = [] } = least;
  least = { ...least, operator: await fewest(operator, (fewer) => stillFails({ ...least, operator: fewer })) };
  least = { ...least, stalls: await fewest(stalls, (fewer) => stillFails({ ...least, stalls: fewer })) };
  least = { ...least, overloads: await fewest(overloads, (fewer) => stillFails({ ...least, overloads: fewer })) };
  return { ...least, requests: await fewest(least.requests, (requests) => stillFails({ ...least, requests })) };
}

/** Takes ever smaller pieces away from a list, as long as what is left still fails. */
async function fewest<Item>(
  items: readonly Item[],
  fails: (items: readonly Item[]) => Promise<boolean>,
): Promise<readonly Item[]> {
  let kept = items;
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < kept.length;) {
      const without = [...kept.slice(0, from), ...kept.slice(from + size)];
      if (await fails(without)) kept = without;
      else from += size;
    }
  }
  return kept;
}

/** Says what a person needs to see the failure again. */
export async function failureReport(
  tape: Tape,
  checks: readonly Check[],
  outcome: Outcome,
  commit: string,
): Promise<string> {
  const [violation] = outcome.violations;
  if (violation === undefined) return 'nothing failed';
  const least = await minimise(tape, checks, violation.number);
  const again = await simulate(least, checks, true);
  const [smallest] = again.violations;
  return [
    `invariant ${violation.number} (${violation.says}) is broken with seed ${tape.seed} at commit ${commit}`,
    `${violation.what}, at ${violation.atMs} ms`,
    `smallest tape: ${JSON.stringify(least)}`,
    `there: ${smallest?.what ?? 'the failure is gone'}`,
    ...again.lines.slice(-40),
  ].join('\n');
}
