import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

import { delayMemoryReducer } from '../../src/cli/memory-reducer.ts';

const run = promisify(execFile);
const MODULE = new URL('../../src/cli/memory-reducer.ts', import.meta.url).href;
const PROGRAM = `
  const { delayMemoryReducer } = await import(${JSON.stringify(MODULE)});
  delayMemoryReducer({ setIdleTimer: (ms, fire) => { console.log(ms); fire(); } });
`;

test.skipIf(Number.parseInt(process.versions.node, 10) < 26)(
  'V8 is told of the delay behind the start, and knows it',
  async () => {
    const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '--eval', PROGRAM]);
    expect(stdout).toBe('15000\n');
    // V8 complains of flags that it does not know, and Node goes on.
    expect(stderr).toBe('');
  },
);

test('an older V8, which does not know the delay, is told nothing', () => {
  const delays: number[] = [];
  const setIdleTimer = (delayMs: number): number => delays.push(delayMs);
  for (const version of ['24.21.0', '25.9.0']) delayMemoryReducer({ setIdleTimer }, version);
  expect(delays).toEqual([]);
});
