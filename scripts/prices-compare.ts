import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { genAiNode, genAiPython, liteLlm } from './price-maps.ts';
import type { PriceMap, PriceQuestion } from './price-maps.ts';
import { differences, pointsOfEntry, pointsOfGenAi, pointsOfLiteLlm } from './price-points.ts';
import type { PricePoints, TableEntry } from './price-points.ts';

// Holds every price of the table against the newest public price maps, and prints where they differ (npm run prices:compare). Needs
// npm, tar, and Python with pip. Not part of the check: it asks the network, and others change their maps every day.

/** A Sunday, and a Monday in DeepSeek's busy hours. */
const QUIET = '2026-11-29T12:00:00Z';
const BUSY = '2026-11-30T02:00:00Z';

/** A model of the table, what it is asked as, and which prices of it an answer to that speaks of. */
interface Asked {
  readonly entry: TableEntry;
  readonly question: PriceQuestion;
  readonly context: 'base' | 'busy';
}

function askedOf(entry: TableEntry): readonly Asked[] {
  const { provider, model } = entry;
  const quiet = { entry, question: { provider, model, at: QUIET }, context: 'base' } as const;
  return entry.peak === undefined
    ? [quiet]
    : [quiet, { ...quiet, question: { ...quiet.question, at: BUSY }, context: 'busy' }];
}

function tableEntries(): readonly TableEntry[] {
  const path = new URL('../src/pricing/prices.json', import.meta.url);
  const { models } = JSON.parse(readFileSync(path, 'utf8')) as { readonly models: readonly TableEntry[] };
  return models.filter(({ model }) => model !== '*');
}

type Read = (fields: Readonly<Record<string, unknown>>, context: string) => PricePoints;

/** Prints what one map says otherwise, and of which prices it says nothing although it knows the model. */
function report(name: string, map: PriceMap, asked: readonly Asked[], read: Read): void {
  const unknown: string[] = [];
  let count = 0;
  process.stdout.write(`\n${name} ${map.version}\n`);
  for (const [index, { entry, question, context }] of asked.entries()) {
    const answer = map.answers[index];
    const id = `${question.provider}/${entry.model}`;
    if (answer === undefined) {
      unknown.push(id);
      continue;
    }
    for (const { point, ours, theirs } of differences(pointsOfEntry(entry), read(answer, context))) {
      process.stdout.write(`  ${id.padEnd(30)} ${point.padEnd(40)} ours ${ours.padEnd(10)} theirs ${theirs}\n`);
      count += 1;
    }
  }
  if (unknown.length > 0) process.stdout.write(`  not there: ${[...new Set(unknown)].join(', ')}\n`);
  process.stdout.write(`  ${count} prices differ.\n`);
}

const asked = tableEntries().flatMap(askedOf);
const questions = asked.map(({ question }) => question);
const folder = mkdtempSync(join(tmpdir(), 'prices-compare-'));
try {
  const folderOf = (name: string): string => mkdtempSync(join(folder, `${name}-`));
  // LiteLLM knows no hours, and has Azure's prices beside OpenAI's, where the table has them once.
  const quiet = asked.filter(({ context }) => context === 'base');
  const azure = quiet
    .filter(({ entry }) => entry.provider === 'openai')
    .map(({ entry, context, question: { model, at } }): Asked => {
      return { entry, context, question: { provider: 'azure-openai', model, at } };
    });
  const ofLiteLlm = [...quiet, ...azure];
  const lite = await liteLlm(
    folderOf('litellm'),
    ofLiteLlm.map(({ question }) => question),
  );
  report('LiteLLM (PyPI)', lite, ofLiteLlm, pointsOfLiteLlm);
  report('genai-prices (PyPI)', await genAiPython(folderOf('python'), questions), asked, pointsOfGenAi);
  report('genai-prices (npm)', await genAiNode(folderOf('node'), questions), asked, pointsOfGenAi);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
