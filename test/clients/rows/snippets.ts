import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { LANGUAGE_RECIPES } from '../languages/recipes.ts';
import type { CodeBlock } from '../snippets/blocks.ts';
import { blocksOf, pointedAt } from '../snippets/blocks.ts';
import { SNIPPET_RUNNERS } from '../snippets/snippet-runners.ts';
import type { RowCheck, RowOutcome, RowStage } from './row.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PAGES = ['docs/clients.md', 'README.md'];

/** Runs the programs of the pages as they stand, but for the address of the gateway. */
export async function trySnippets(row: RowStage): Promise<RowOutcome> {
  const found: { readonly path: string; readonly program: Program }[] = [];
  for (const path of PAGES) {
    const blocks = blocksOf(await readFile(join(ROOT, path), 'utf8'));
    found.push(...programsOf(blocks).map((program) => ({ path, program })));
  }
  // Compilers of different languages work at the same time.
  const languages = Map.groupBy(found, ({ program }) => program.language);
  const checks = [...languages.values()].map(async (programs) => {
    const ofLanguage: RowCheck[] = [];
    for (const { path, program } of programs) ofLanguage.push(await tryProgram(path, program, row));
    return ofLanguage;
  });
  return { checks: (await Promise.all(checks)).flat() };
}

/** The files of one program, by their names. */
interface Program {
  readonly language: string;
  readonly line: number;
  readonly files: Readonly<Record<string, string>>;
}

/** A block that names its file belongs to the program of the block behind it that is its main file. */
function programsOf(blocks: readonly CodeBlock[]): readonly Program[] {
  const programs: Program[] = [];
  let files: Record<string, string> = {};
  for (const { language, code, file, line } of blocks) {
    if (language === 'toml' && file !== undefined) files[file] = code;
    const runner = SNIPPET_RUNNERS[language];
    if (runner === undefined) continue;
    files[file ?? runner.file] = code;
    if (file !== undefined && file !== runner.file) continue;
    programs.push({ language, line, files });
    files = {};
  }
  return programs;
}

async function tryProgram(path: string, { language, line, files }: Program, row: RowStage): Promise<RowCheck> {
  const check = `${path}:${line}, ${language}`;
  const runner = SNIPPET_RUNNERS[language];
  const missing = runner?.missing();
  if (runner === undefined || missing !== undefined) return { check, skipped: missing ?? 'nobody runs it' };
  const folder = join(row.work, `snippet-${path.replaceAll(/\W/g, '-')}-${line}`);
  await mkdir(folder);
  const here = Object.fromEntries(
    Object.entries(files).map(([name, code]) => [name, pointedAt(code, row.stage.doors.grpc)]),
  );
  const begunAtMs = performance.now();
  try {
    const printed = await runner.run(here, { folder, clients: row.clients, built: (name) => built(name, row) });
    if (printed.trim() === '') return { check, failure: 'it printed nothing' };
    return { check, detail: `${Math.round(performance.now() - begunAtMs)} ms` };
  } catch (error) {
    if (error instanceof NotThere) return { check, skipped: error.message };
    return { check, failure: error instanceof Error ? error.message : String(error) };
  }
}

class NotThere extends Error {}

/** Builds the client of a language where its row has not done so. */
async function built(name: string, { work, clients }: RowStage): Promise<string> {
  const folder = join(work, name);
  const recipe = LANGUAGE_RECIPES[name];
  if (recipe === undefined || existsSync(folder)) return folder;
  const missing = recipe.missing(clients);
  if (missing !== undefined) throw new NotThere(missing);
  await recipe.build(clients, folder);
  return folder;
}
