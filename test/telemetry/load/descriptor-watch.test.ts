import { expect, test } from 'vitest';

import { watchDescriptors } from '../../../src/telemetry/load/descriptor-watch.ts';
import { createVirtualRuntime } from '../../support/virtual-runtime.ts';

test('used up descriptors are noticed within five seconds, also where no call comes', async () => {
  const runtime = createVirtualRuntime();
  const seenAtMs: number[] = [];
  let areUsedUp = false;
  const stop = watchDescriptors(
    runtime,
    () => areUsedUp,
    () => seenAtMs.push(runtime.now()),
  );
  await runtime.advance(7_000);
  areUsedUp = true;
  await runtime.advance(9_000);
  areUsedUp = false;
  await runtime.advance(60_000);
  expect(seenAtMs).toEqual([10_000, 15_000]);
  stop();
  expect(runtime.pendingTimers()).toBe(0);
});
