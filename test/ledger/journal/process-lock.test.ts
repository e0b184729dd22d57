import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { takeLock } from '../../../src/ledger/journal/process-lock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const MODULE = new URL('../../../src/ledger/journal/process-lock.ts', import.meta.url).href;

test('a lock is of one at a time, also in one process', () => {
  const path = join(temporaryFolder(), 'lock');
  const unlock = takeLock(path);
  expect(takeLock(path)).toBeUndefined();
  unlock?.();
  takeLock(path)?.();
});

test('a lock ends with the process that has it, however that ends', async () => {
  const path = join(temporaryFolder(), 'lock');
  const code = `import { takeLock } from '${MODULE}'; takeLock('${path}'); console.log('taken'); setInterval(() => {}, 1e6);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  expect(takeLock(path)).toBeUndefined();
  child.kill('SIGKILL');
  await once(child, 'close');
  const unlock = takeLock(path);
  expect(unlock).toBeDefined();
  unlock?.();
});
