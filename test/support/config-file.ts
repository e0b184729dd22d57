import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

import type { ConfigInput } from '../../src/config/file/schema.ts';

/** Writes a config file that goes with the test, and returns its path. */
export async function configFile(config: ConfigInput): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'understudy.json');
  await writeFile(path, JSON.stringify(config));
  return path;
}
