import { expect, test } from 'vitest';

import { returnMemory } from '../../../src/telemetry/load/memory-return.ts';
import { createVirtualRuntime } from '../../support/virtual-runtime.ts';

test('memory is given back in the first minute of quiet after the start and after a load, and not before, nor again', async () => {
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
  expect(givenAtMs).toEqual([
    10_000, 20_000, 30_000, 40_000, 50_000, 60_000, 100_000, 110_000, 120_000, 130_000, 140_000, 150_000,
  ]);
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
