import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { runProgram, toolCache } from '../../../scripts/tool-cache.ts';
import type { RowCheck, RowOutcome, RowStage } from './row.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const FOLDER = join(ROOT, 'clients', 'templates');

/** Generates code by every template whose plugins are there. */
export async function tryTemplates({ work }: RowStage): Promise<RowOutcome> {
  const checks: RowCheck[] = [];
  for (const name of (await readdir(FOLDER)).sort()) {
    const check = name.replace('.buf.gen.yaml', '');
    const output = join(work, 'templates', check);
    const { code, printed } = await runProgram(
      join(ROOT, 'node_modules', '.bin', 'buf'),
      ['generate', '--template', join(FOLDER, name), '-o', output],
      { cwd: ROOT, env: { ...process.env, PATH: `${process.env['PATH']}:${join(toolCache(), 'cargo', 'bin')}` } },
    );
    const [, missing] = /exec: "([^"]+)": executable file not found/.exec(printed) ?? [];
    if (missing !== undefined) checks.push({ check, skipped: `${missing} is not there` });
    else if (code !== 0) checks.push({ check, failure: printed });
    else checks.push({ check, detail: `${(await readdir(output, { recursive: true })).length} files` });
  }
  return { checks };
}
