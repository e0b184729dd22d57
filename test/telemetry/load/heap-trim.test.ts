import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { expect, test } from 'vitest';

const MODULE = new URL('../../../src/telemetry/load/heap-trim.ts', import.meta.url).href;
/** 64 MiB in pieces of 64 KiB, as sockets read them, of which every hundredth stays, the last one too. */
const SCRIPT = `
  import { trimHeap } from ${JSON.stringify(MODULE)};
  let pieces = Array.from({ length: 1_024 }, () => Buffer.alloc(65_536, 1));
  pieces = pieces.filter((_, index) => index % 100 === 23);
  for (let round = 0; round < 2; round++) { globalThis.gc(); await new Promise(setImmediate); }
  const before = process.memoryUsage.rss();
  trimHeap();
  const after = process.memoryUsage.rss();
  trimHeap();
  console.log(JSON.stringify({ mib: (before - after) / 1_048_576, warn: process.emitWarning.name }));
`;

async function run(...flags: string[]): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const args = [...flags, '--expose-gc', '--input-type=module', '--eval', SCRIPT];
  return promisify(execFile)(process.execPath, args, { env: {} });
}

const hasGlibc = process.platform === 'linux' && 'glibcVersionRuntime' in Object(process.report.getReport()).header;

test.runIf(hasGlibc && process.getBuiltinModule('node:ffi') !== undefined)(
  'what was freed below what is in use goes back to the system, without a word on standard error',
  async () => {
    const { stdout, stderr } = await run();
    expect(JSON.parse(stdout).mib).toBeGreaterThan(20);
    expect(JSON.parse(stdout).warn).toBe('emitWarning');
    expect(stderr).toBe('');
  },
);

test('where functions of the system may not be called, nothing happens', async () => {
  const { stdout, stderr } = await run('--no-experimental-ffi');
  expect(Math.abs(JSON.parse(stdout).mib)).toBeLessThan(20);
  expect(stderr).toBe('');
});
