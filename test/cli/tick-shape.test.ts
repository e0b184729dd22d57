import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const MODULE = new URL('../../src/cli/tick-shape.ts', import.meta.url).href;
/** Collections stand between, so that a shape of which nothing is kept would be another one each time. */
const PROGRAM = `
  import { executionAsyncResource } from 'node:async_hooks';
  const { keepTickShape } = await import(${JSON.stringify(MODULE)});
  const kept = keepTickShape();
  await new Promise((resolve) => setImmediate(resolve));
  for (let round = 0; round < 3; round++) {
    gc();
    await new Promise((resolve) => process.nextTick(() => {
      const tick = executionAsyncResource();
      console.log(kept.length, tick !== kept[0] && %HaveSameMap(kept[0], tick));
      setImmediate(resolve);
    }));
  }
`;

test('a tick has the shape of the one that is kept, also behind collections of all garbage', async () => {
  const flags = ['--allow-natives-syntax', '--expose-gc', '--input-type=module'];
  const { stdout } = await run(process.execPath, [...flags, '--eval', PROGRAM]);
  expect(stdout).toBe('1 true\n1 true\n1 true\n');
});
