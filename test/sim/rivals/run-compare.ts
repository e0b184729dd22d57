import { parseArgs } from 'node:util';

import { compare, RIVALS } from './compare.ts';
import { SCENARIO_NAMES } from './scenarios.ts';

const HELP = `npm run sim:compare -- [options]

  Lives fault tapes through in virtual time, with this engine and with models of other policies, and prints a table for each.

  --seed N          another tape and other chances (1); the same seed prints the same
  --scenario NAMES  of ${SCENARIO_NAMES.join(', ')}; with commas between them
  --help            this text
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    scenario: { type: 'string' },
  },
});

function seedOfOption(): number {
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error('--seed must be a whole number from 0 on');
  return seed;
}

function chosenNames(): readonly string[] {
  const names = values.scenario?.split(',');
  const unknown = names?.find((name) => !SCENARIO_NAMES.includes(name));
  if (unknown !== undefined) throw new Error(`--scenario: there is none named ${unknown}; see --help`);
  return names ?? SCENARIO_NAMES;
}

if (values.help) {
  process.stdout.write(HELP);
} else {
  const seed = seedOfOption();
  process.stdout.write(
    `Seed ${seed}. Policies:\n\n${RIVALS.map(({ name, says }) => `- **${name}**: ${says}.`).join('\n')}\n`,
  );
  for (const name of chosenNames()) process.stdout.write(`\n${await compare(name, seed)}`);
}
