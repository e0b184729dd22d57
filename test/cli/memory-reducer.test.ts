import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const MODULE = new URL('../../src/cli/memory-reducer.ts', import.meta.url).href;
const PROGRAM = `
  const { delayMemoryReducer } = await import(${JSON.stringify(MODULE)});
  delayMemoryReducer();
`;

test('V8 knows what it is told of its memory reducer', async () => {
  const { stderr } = await run(process.execPath, ['--input-type=module', '--eval', PROGRAM]);
  // V8 complains of flags that it does not know, and Node goes on.
  expect(stderr).toBe('');
});
