import { ALL_CHECKS } from './checks/all-checks.ts';
import { failureReport } from './minimise.ts';
import { randomTape } from './random-tape.ts';
import { simulate } from './simulation.ts';

/**
 * Lives some seeds through from the command line: `node test/sim/run-seeds.ts [first] [count] [report]`. Prints the broken
 * invariants, with `report` and the smallest tapes, and ends with 1 where there are any.
 */
const [first = '1', count = '100', mode] = process.argv.slice(2);
const beganAt = performance.now();
const ends = new Map<string, number>();
let events = 0;
let failures = 0;
for (let seed = Number(first); seed < Number(first) + Number(count); seed++) {
  const tape = randomTape(seed);
  const outcome = await simulate(tape, ALL_CHECKS);
  events += outcome.events;
  for (const { result } of outcome.runs) {
    const end = result === undefined ? 'NONE' : result.ok ? 'OK' : result.failure.reason;
    ends.set(end, (ends.get(end) ?? 0) + 1);
  }
  const [violation] = outcome.violations;
  if (violation === undefined) continue;
  failures += 1;
  console.log(`seed ${seed}: invariant ${violation.number}: ${violation.what}`);
  if (mode === 'report') console.log(await failureReport(tape, ALL_CHECKS, outcome, 'of the work tree'));
  if (mode === 'first') break;
}
console.log({ failures, events, ms: Math.round(performance.now() - beganAt) }, Object.fromEntries(ends));
process.exitCode = failures > 0 ? 1 : 0;
