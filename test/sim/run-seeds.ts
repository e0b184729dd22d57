import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { ALL_CHECKS } from './checks/all-checks.ts';
import { live } from './live.ts';
import { failureReport } from './minimise.ts';
import { randomTape, USUAL_SIZE } from './random-tape.ts';
import { seedsFrom } from './seeds.ts';
import type { Tape } from './tape.ts';

const HELP = `Lives tapes through and prints the broken invariants; ends with 1 where there are any.
  --first 1      the first seed
  --count 100    how many seeds
  --size 30      about how many requests a tape has
  --tape FILE    a tape as a report prints it, in place of seeds
  --only 24      this invariant alone, with those that belong to it (24.1)
  --stop 1       ends behind so many seeds that fail
  --report       minimises what fails and prints it
  --brief        prints the numbers of the broken invariants and nothing else`;

const { values } = parseArgs({
  options: {
    first: { type: 'string', default: '1' },
    count: { type: 'string', default: '100' },
    size: { type: 'string', default: String(USUAL_SIZE.requests) },
    tape: { type: 'string' },
    only: { type: 'string' },
    stop: { type: 'string', default: 'Infinity' },
    report: { type: 'boolean', default: false },
    brief: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const checks = ALL_CHECKS.filter(
  ({ number }) => values.only === undefined || Math.floor(number) === Number(values.only),
);
const beganAt = performance.now();
const ends = new Map<string, number>();
let events = 0;
let failures = 0;

function* tapes(): Generator<Tape> {
  if (values.tape !== undefined) yield JSON.parse(readFileSync(values.tape, 'utf8')) as Tape;
  else {
    const size = { ...USUAL_SIZE, requests: Number(values.size) };
    for (const seed of seedsFrom(Number(values.first), Number(values.count))) yield randomTape(seed, size);
  }
}

if (values.help) console.log(HELP);
else {
  for (const tape of tapes()) {
    const outcome = await live(tape, checks);
    events += outcome.events;
    for (const { result } of outcome.runs) {
      const end = result === undefined ? 'NONE' : result.ok ? 'OK' : result.failure.reason;
      ends.set(end, (ends.get(end) ?? 0) + 1);
    }
    const [violation] = outcome.violations;
    if (violation === undefined) continue;
    failures += 1;
    if (values.brief) console.log(outcome.violations.map(({ number }) => number).join(' '));
    else console.log(`seed ${tape.seed}: invariant ${violation.number}: ${violation.what}`);
    if (values.report) console.log(await failureReport(tape, checks, outcome, 'of the work tree'));
    if (failures >= Number(values.stop)) break;
  }
  if (!values.brief) {
    console.log({ failures, events, ms: Math.round(performance.now() - beganAt) }, Object.fromEntries(ends));
  }
  process.exitCode = failures > 0 ? 1 : 0;
}
