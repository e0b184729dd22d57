import { expect, test } from 'vitest';
import type { TargetHealth } from '../../../src/engine/port/call.ts';
import { ServingStatus } from '../../../src/server/health/serving-status.ts';
import { createVirtualRuntime } from '../../support/virtual-runtime.ts';
import { targetHealth } from '../support/fake-gateway.ts';

test('the server and its liveness never depend on providers, readiness only on there being one', () => {
  let targets: TargetHealth[] = [targetHealth({ available: false })];
  const status = new ServingStatus(() => targets, createVirtualRuntime());
  const states = () => ['', 'understudy.v1.LlmService', 'liveness', 'readiness'].map((name) => status.state(name));
  const [up, down] = ['SERVING', 'NOT_SERVING'];
  expect(states()).toEqual([up, up, up, down]);
  status.startServing();
  expect(states()).toEqual([up, up, up, up]);
  targets = [];
  expect(states()).toEqual([up, up, up, down]);
  targets = [targetHealth()];
  status.startDraining();
  expect(states()).toEqual([down, down, up, down]);
  status.startServing();
  expect(status.isDraining).toBe(true);
});

test('while someone watches, states are looked at every second; otherwise no timer runs', async () => {
  const runtime = createVirtualRuntime();
  const status = new ServingStatus(() => [], runtime);
  let seen = 0;
  const stop = status.watch(() => {
    seen += 1;
  });
  await runtime.advance(3000);
  expect(seen).toBe(3);
  status.changed();
  expect(seen).toBe(4);
  stop();
  stop();
  expect(runtime.pendingTimers()).toBe(0);
  status.changed();
  expect(seen).toBe(4);
});
