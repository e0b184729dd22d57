import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { expect, it } from 'vitest';

import { system } from '../src/system.ts';

/** Runs a program that has the system, and returns the status with which it ended. */
async function run(program: string): Promise<unknown> {
  const source = `import { system } from ${JSON.stringify(new URL('../src/system.ts', import.meta.url).href)};${program}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: 'ignore' });
  const [code]: unknown[] = await once(child, 'exit');
  return code;
}

it('a process that does not end by itself is ended', async () => {
  expect(await run('setInterval(() => {}, 1_000); system.exitWithin(20);')).toBe(1);
});

it('one that does is not kept alive', async () => {
  const sinceMs = performance.now();
  expect(await run('system.exitWithin(3_600_000); system.setIdleTimer(3_600_000, () => {});')).toBe(0);
  expect(performance.now() - sinceMs).toBeLessThan(30_000);
});

it('what comes in the turn in which somebody yields to input is told before he goes on', async () => {
  const order: string[] = [];
  const yielded = system.yieldIo().then(() => order.push('whoever has yielded'));
  // As of a socket that is read after a timer has fired, in the same turn.
  system.afterInput(() => order.push('what has come'));
  await yielded;
  expect(order).toEqual(['what has come', 'whoever has yielded']);
});

it('the loop is busy while it works, not while it waits', async () => {
  const before = system.busyMs();
  await new Promise((resolve) => setTimeout(resolve, 200));
  const waited = system.busyMs();
  expect(waited - before).toBeLessThan(100);
  while (system.busyMs() < waited + 20);
  expect(system.busyMs()).toBeGreaterThanOrEqual(waited + 20);
});
