import { parseArgs } from 'node:util';

import { compare, RIVALS } from './compare.ts';
import { SCENARIO_NAMES } from './scenarios.ts';

const HELP = `npm run sim:compare -- [options]

  Lives fault tapes through in virtual time, with this engine and with models of other policies, and prints a table for each.

  --seed N          another tape and other chances (1); the same seed prints the same
  --scenario NAMES  of ${SCENARIO_NAMES.join(', ')}; with commas between them
  --help            this text
`;

interface Options {
  readonly help: boolean;
  readonly seed: number;
  readonly names: readonly string[];
}

/** Reads the command line; throws an error that names what is wrong. */
function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', default: false },
      seed: { type: 'string', default: '1' },
      scenario: { type: 'string' },
    },
  });
  const seed = Number(values.seed);
  if (!/^\d+$/.test(values.seed) || !Number.isSafeInteger(seed))
    throw new Error('--seed must be a whole number from 0 on');
  const names = values.scenario?.split(',') ?? SCENARIO_NAMES;
  const unknown = names.find((name) => !SCENARIO_NAMES.includes(name));
  if (unknown !== undefined) throw new Error(`--scenario: there is none named ${unknown}; see --help`);
  return { help: values.help, seed, names };
}

async function run({ help, seed, names }: Options): Promise<void> {
  if (help) {
    process.stdout.write(HELP);
    return;
  }
  const policies = RIVALS.map(({ name, says }) => `- **${name}**: ${says}.\n`).join('');
  process.stdout.write(`Seed ${seed}. Policies, of which those named after a product are models of it:\n\n${policies}`);
  for (const name of names) process.stdout.write(`\n${await compare(name, seed)}`);
}

try {
  await run(readOptions());
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
