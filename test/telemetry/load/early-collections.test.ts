import { expect, test } from 'vitest';

import { collectEarly, collectGarbage } from '../../../src/telemetry/load/early-collections.ts';
import { createVirtualRuntime } from '../../support/virtual-runtime.ts';

test('all garbage is collected twice, after three and eight seconds of CPU time, and never again', async () => {
  const runtime = createVirtualRuntime();
  const collectedAtMs: number[] = [];
  let cpuMs = 700;
  collectEarly(
    runtime,
    () => cpuMs,
    () => collectedAtMs.push(runtime.now()),
  );
  await runtime.advance(60_000);
  expect(collectedAtMs).toEqual([]);
  for (let second = 0; second < 30; second++) {
    await runtime.advance(1_000);
    cpuMs += 1_000;
  }
  expect(collectedAtMs).toEqual([63_500, 68_500]);
  expect(runtime.pendingTimers()).toBe(0);
});

test('nothing is collected behind the end', async () => {
  const runtime = createVirtualRuntime();
  const collected: number[] = [];
  const stop = collectEarly(
    runtime,
    () => runtime.now(),
    () => collected.push(runtime.now()),
  );
  stop();
  await runtime.advance(60_000);
  expect(collected).toEqual([]);
  expect(runtime.pendingTimers()).toBe(0);
});

test('a collection leaves nothing that nobody holds', () => {
  const held = new WeakRef({ of: 'nobody' });
  return new Promise<void>((resolve) => {
    // A WeakRef holds what it points to until its turn ends.
    setImmediate(() => {
      collectGarbage();
      expect(held.deref()).toBeUndefined();
      expect(globalThis.gc).toBeUndefined();
      resolve();
    });
  });
});
