import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import type { Figures, FiguresOf } from './figures/figures.ts';
import { PAGE, policiesInWords, rewritten } from './figures/page.ts';
import { figuresInParallel } from './figures/parallel.ts';
import { tableOf } from './figures/tables.ts';
import type { Finding } from './figures/verdict.ts';
import { checkComparable, findBetterBefore, findBetterRivals, LEAST_SEEDS, listed } from './figures/verdict.ts';
import { makeScenario, SCENARIO_NAMES } from './scenarios.ts';

/** The page says that its cells are of so many. */
const SEEDS_OF_PAGE = 5;

const HELP = `npm run sim:compare -- [options]

  Lives fault tapes through in virtual time, with this engine and with models of other policies, and prints a table for each.

  --seed N          another tape and other chances (1); the same seed prints the same
  --seeds N-M       several; cells are their mean and half of the range that they lie in
  --scenario NAMES  of ${SCENARIO_NAMES.join(', ')}; with commas between them
  --json FILE       writes all figures there
  --against FILE    compares the engine's rows with figures that --json wrote, over the seeds that both have
  --write           writes the tables of ${SEEDS_OF_PAGE} seeds into ${PAGE}
  --help            this text

  From ${LEAST_SEEDS} seeds on a verdict follows: every scenario and column in which a rival is better than every row of Understudy beyond
  scatter, and with --against every one in which a row of Understudy was better before. Policies are compared seed by seed, on the
  same tape: better beyond scatter is who gains more in the mean than half of the range of the gains, and as much as the table can
  show. Figures that are low where little is answered (first output, calls, wasted tokens, calls into the dead, silence borne,
  targets left) count only for a policy whose success is not lower beyond scatter; where it is, they are listed by themselves. So
  is what one row of Understudy loses and another does not.

  Ends with 0; with 2 where a rival is better, or a row was; with 1 where something is wrong.
`;

interface Options {
  readonly help: boolean;
  readonly seeds: readonly number[];
  readonly names: readonly string[];
  readonly json: string | undefined;
  readonly against: string | undefined;
  readonly write: boolean;
}

/** Reads the command line; throws an error that names what is wrong. */
function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', default: false },
      seed: { type: 'string' },
      seeds: { type: 'string' },
      scenario: { type: 'string' },
      json: { type: 'string' },
      against: { type: 'string' },
      write: { type: 'boolean', default: false },
    },
  });
  if (values.seed !== undefined && values.seeds !== undefined) throw new Error('--seed and --seeds exclude each other');
  const names = values.scenario?.split(',') ?? SCENARIO_NAMES;
  const unknown = names.find((name) => !SCENARIO_NAMES.includes(name));
  if (unknown !== undefined) throw new Error(`--scenario: there is none named ${unknown}; see --help`);
  if (values.write && values.scenario !== undefined) throw new Error('--write takes all scenarios');
  const seeds = seedsOf(values.seeds ?? values.seed ?? '1');
  if (values.write && seeds.length !== SEEDS_OF_PAGE) throw new Error(`--write takes ${SEEDS_OF_PAGE} seeds`);
  const { help, json, against, write } = values;
  return { help, seeds, names, json, against, write };
}

/** Reads `7` and `1-5`. */
function seedsOf(text: string): readonly number[] {
  const [, first, last = first] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(text) ?? [];
  const count = Number(last) - Number(first) + 1;
  if (!(count >= 1)) throw new Error('--seed must be a whole number from 0 on, --seeds two with - between them');
  return Array.from({ length: count }, (_, index) => Number(first) + index);
}

async function run({ help, seeds, names, json, against, write }: Options): Promise<void> {
  if (help) {
    process.stdout.write(HELP);
    return;
  }
  const before = against === undefined ? undefined : readFigures(against);
  if (before !== undefined) checkComparable(before, names, seeds);
  const which = seeds.length === 1 ? `Seed ${seeds[0]}` : `Seeds ${seeds[0]} to ${seeds.at(-1)}`;
  process.stdout.write(
    `${which}. Policies, of which those named after a product are models of it:\n\n${policiesInWords()}`,
  );
  const found: Record<string, readonly Figures[]> = {};
  for (const [name, promised] of figuresInParallel(names, seeds)) {
    const figures = await promised;
    found[name] = figures;
    process.stdout.write(`\n${tableOf(makeScenario(name, 0), figures)}`);
  }
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(found)}\n`);
  const rivals = seeds.length < LEAST_SEEDS ? undefined : findBetterRivals(found);
  if (rivals !== undefined) tell('Rivals that are better than every row of Understudy', rivals);
  if (before !== undefined) tell('Rows of Understudy that were better before', findBetterBefore(found, before));
  if (write) writeFileSync(PAGE, rewritten(readFileSync(PAGE, 'utf8'), found, rivals ?? []));
}

/** Prints findings, and lets the process end with 2 where there are any that count. */
function tell(title: string, findings: readonly Finding[]): void {
  process.stdout.write(`\n## ${title}\n\n${listed(findings)}`);
  if (findings.some(({ kind }) => kind === 'better')) process.exitCode = 2;
}

/** What `--json` wrote. */
function readFigures(path: string): FiguresOf {
  return JSON.parse(readFileSync(path, 'utf8')) as FiguresOf;
}

try {
  await run(readOptions());
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
