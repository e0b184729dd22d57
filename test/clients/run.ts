import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';

import { goTool, isGoTool } from '../../scripts/tool-cache.ts';
import type { Background } from './background.ts';
import { inBackground } from './background.ts';
import { CLIENT_CASES } from './cases.ts';
import type { RetryCount } from './languages/judge.ts';
import { judgeLanguage } from './languages/judge.ts';
import type { ConformanceProgram } from './languages/recipes.ts';
import { LANGUAGE_RECIPES } from './languages/recipes.ts';
import type { Page } from './rows/page.ts';
import { startPage } from './rows/page.ts';
import type { RowOutcome } from './rows/row.ts';
import { ROWS } from './rows/rows.ts';
import type { Stage } from './stage/stage.ts';
import { startStage } from './stage/stage.ts';
import type { Column } from './table.ts';
import { caseTable, retryTable, rows } from './table.ts';

const CLIENTS = fileURLToPath(new URL('../../clients', import.meta.url));
const ALL_NAMES = [...Object.keys(LANGUAGE_RECIPES), ...Object.keys(ROWS)];

const HELP = `Usage: npm run test:clients -- [--only python,go] [--case cancel,left-loop] [--clients FOLDER] [--tests]
         [--strict] [--list] [--help]

Starts gateways with the mock, builds each client as a user would, runs its conformance program and real tools against them,
and prints a table of languages and cases. What has no toolchain here is left out, and told; --strict takes that for a failure.
Ends with 0 where everything that ran came out right.

--only     languages and tools: ${ALL_NAMES.join(', ')}
--case     cases of the languages; --list prints them
--clients  where the clients are, instead of clients/
--tests    run the tests that each client has of its own as well
`;

interface Tried {
  readonly columns: Column[];
  readonly counts: { readonly title: string; readonly retries: readonly RetryCount[] }[];
  readonly others: (readonly [row: string, check: string, outcome: string])[];
  readonly skipped: string[];
  readonly failures: string[];
  passed: number;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: ALL_NAMES.join(',') },
      case: { type: 'string', default: CLIENT_CASES.map(({ name }) => name).join(',') },
      clients: { type: 'string', default: CLIENTS },
      tests: { type: 'boolean', default: false },
      strict: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  if (values.list) {
    console.log(CLIENT_CASES.map(({ name, title }) => `${name.padEnd(14)} ${title}`).join('\n'));
    return 0;
  }
  const [only, names, clients] = [values.only.split(','), values.case.split(','), resolve(values.clients)];
  const unknown = [
    ...only.filter((name) => !ALL_NAMES.includes(name)),
    ...names.filter((name) => !CLIENT_CASES.some((each) => each.name === name)),
  ];
  if (unknown.length > 0) {
    console.error(`Not known: ${unknown.join(', ')}\n\n${HELP}`);
    return 2;
  }
  const work = await mkdtemp(join(tmpdir(), 'understudy-conformance-'));
  const page = await startPage();
  const stage = await startStage(page.origin);
  const tried: Tried = { columns: [], counts: [], others: [], skipped: [], failures: [], passed: 0 };
  const background = inBackground();
  const trial = { names, clients, work, stage, page, background, runsTests: values.tests };
  const rowsAsked = only.filter((name) => name in ROWS);
  const ownTests: Promise<void>[] = [];
  try {
    const programs = new Map(
      only.filter((name) => !rowsAsked.includes(name)).map((name) => [name, buildLanguage(name, trial)] as const),
    );
    for (const tool of rowsAsked)
      void background.add(async () => isGoTool(tool) && goTool(tool)).catch(() => undefined);
    for (const name of only) {
      const begunAtMs = performance.now();
      const program = programs.get(name);
      await telling(name, tried, () =>
        program === undefined ? tryRow(name, trial, tried) : tryLanguage(name, program, trial, tried),
      );
      console.log(`   ${name}: ${seconds(begunAtMs)}`);
      if (values.tests) ownTests.push(testLanguage(name, trial, tried));
    }
    await Promise.all(ownTests);
  } finally {
    await stage.close();
    await page.close();
    await rm(work, { recursive: true, force: true });
  }
  report(tried, names);
  return tried.failures.length > 0 || (values.strict && tried.skipped.length > 0) ? 1 : 0;
}

interface Trial {
  readonly names: readonly string[];
  readonly clients: string;
  readonly work: string;
  readonly stage: Stage;
  readonly page: Page;
  /** Builds and the clients' own tests go on behind the cases, which wait most of the time. */
  readonly background: Background;
}

/** A program, or why there is none, or the error of its build. */
type Built = { readonly program: ConformanceProgram } | { readonly missing: string } | { readonly error: unknown };

async function buildLanguage(name: string, { clients, work, background }: Trial): Promise<Built> {
  const recipe = LANGUAGE_RECIPES[name];
  const missing = recipe?.missing(clients);
  if (recipe === undefined || missing !== undefined) return { missing: missing ?? 'not known' };
  return background.add(async () => {
    const begunAtMs = performance.now();
    try {
      const program = await recipe.build(clients, join(work, name));
      console.log(`   (${name} built in ${seconds(begunAtMs)})`);
      return { program };
    } catch (error) {
      return { error };
    }
  });
}

/** Runs what may fail, and tells that. */
async function telling(name: string, tried: Tried, run: () => Promise<void>): Promise<void> {
  console.log(`== ${name}`);
  try {
    await run();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    console.log(`   FAILED: ${message}`);
    tried.failures.push(`${name}: ${message}`);
  }
}

async function tryLanguage(name: string, built: Promise<Built>, { names, stage }: Trial, tried: Tried): Promise<void> {
  const title = LANGUAGE_RECIPES[name]?.title ?? name;
  const found = await built;
  if ('missing' in found) {
    skip(title, found.missing, tried);
    return;
  }
  if ('error' in found) throw found.error;
  const { verdicts, retries } = await judgeLanguage(found.program, names, stage);
  tried.columns.push({ title, verdicts });
  if (retries.length > 0) tried.counts.push({ title, retries });
  for (const each of names) {
    const verdict = verdicts.get(each) ?? { ok: false, detail: 'no report' };
    console.log(`   ${each}: ${verdict.ok ? 'ok' : 'FAILED'}, ${verdict.detail.slice(0, 300)}`);
    if (verdict.ok) tried.passed += 1;
    else tried.failures.push(`${name}, ${each}: ${verdict.detail}`);
  }
}

/** Runs the tests that a client has of its own, if it has any and is there. */
async function testLanguage(name: string, { clients, work, background }: Trial, tried: Tried): Promise<void> {
  const { ownTests, missing } = LANGUAGE_RECIPES[name] ?? {};
  if (ownTests === undefined || missing?.(clients) !== undefined) return;
  await background.add(async () => {
    const begunAtMs = performance.now();
    const failure = await ownTests(clients, join(work, name)).then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    console.log(`   (the tests of ${name} itself: ${failure ?? `ok, ${seconds(begunAtMs)}`})`);
    tried.others.push([name, 'its own tests', failure === undefined ? 'ok' : 'FAILED']);
    if (failure === undefined) tried.passed += 1;
    else tried.failures.push(`${name}, its own tests: ${failure}`);
  });
}

function seconds(sinceMs: number): string {
  return `${((performance.now() - sinceMs) / 1_000).toFixed(1)} s`;
}

async function tryRow(name: string, { work, clients, stage, page }: Trial, tried: Tried): Promise<void> {
  const row = ROWS[name];
  if (row === undefined) return;
  const outcome: RowOutcome = await row({ work, clients, stage, page });
  if ('skipped' in outcome) {
    skip(name, outcome.skipped, tried);
    return;
  }
  for (const { check, failure, skipped, detail } of outcome.checks) {
    const said = failure ?? skipped ?? detail ?? '';
    const word = failure !== undefined ? 'FAILED' : skipped !== undefined ? 'skipped' : 'ok';
    console.log(`   ${check}: ${word}${said === '' ? '' : `, ${said.slice(0, 500)}`}`);
    tried.others.push([name, check, word]);
    if (failure !== undefined) tried.failures.push(`${name}, ${check}: ${failure}`);
    else if (skipped !== undefined) tried.skipped.push(`${name}, ${check}: ${skipped}`);
    else tried.passed += 1;
  }
}

function skip(title: string, reason: string, tried: Tried): void {
  console.log(`   skipped: ${reason}`);
  tried.skipped.push(`${title}: ${reason}`);
}

function report({ columns, counts, others, skipped, failures, passed }: Tried, names: readonly string[]): void {
  const cases = CLIENT_CASES.filter(({ name }) => names.includes(name));
  if (columns.length > 0) console.log(`\n${caseTable(cases, columns)}`);
  if (counts.length > 0) console.log(`\n${retryTable(counts)}`);
  if (others.length > 0) console.log(`\n${rows([['with', 'what', 'outcome'], ...others])}`);
  if (skipped.length > 0) console.log(`\nSkipped:\n${skipped.map((line) => `  ${line}`).join('\n')}`);
  if (failures.length > 0) console.log(`\nFailed:\n${failures.map((line) => `  ${line}`).join('\n')}`);
  console.log(`\n${passed} passed, ${failures.length} failed, ${skipped.length} skipped`);
}

process.exitCode = await main();
