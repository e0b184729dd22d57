import { expect, test } from 'vitest';

import { returnMemory } from '../../../src/telemetry/load/memory-return.ts';
import { createVirtualRuntime } from '../../support/virtual-runtime.ts';

test('memory is given back in the first two minutes of quiet after the start and after a load, and not before, nor again', async () => {
  const runtime = createVirtualRuntime();
  const givenAtMs: number[] = [];
  let cpuMs = 0;
  const stop = returnMemory(
    runtime,
    () => cpuMs,
    () => givenAtMs.push(runtime.now()),
  );
  await runtime.advance(60_000);
  for (let second = 0; second < 25; second++) {
    cpuMs += 500;
    await runtime.advance(1_000);
  }
  await runtime.advance(300_000);
  const beforeMs = Array.from({ length: 6 }, (_, go) => 10_000 * (go + 1));
  const behindMs = Array.from({ length: 12 }, (_, go) => 100_000 + 10_000 * go);
  expect(givenAtMs).toEqual([...beforeMs, ...behindMs]);
  stop();
  expect(runtime.pendingTimers()).toBe(0);
});

test('a load that comes between puts it off', async () => {
  const runtime = createVirtualRuntime();
  const givenAtMs: number[] = [];
  let cpuMs = 0;
  returnMemory(
    runtime,
    () => cpuMs,
    () => givenAtMs.push(runtime.now()),
  );
  for (const used of [9_000, 100, 600, 0, 0]) {
    cpuMs += used;
    await runtime.advance(10_000);
  }
  expect(givenAtMs).toEqual([20_000, 40_000, 50_000]);
});
