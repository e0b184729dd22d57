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

/** A status whose targets can be changed, with how often they were looked at. */
function watchable(count: number) {
  const runtime = createVirtualRuntime();
  const looks = { count: 0 };
  const targets = Array.from({ length: count }, (_, index) => targetHealth({ target: `t${index}` }));
  const status = new ServingStatus(() => {
    looks.count += 1;
    return targets;
  }, runtime);
  status.startServing();
  const turn = (index: number, available: boolean): void => {
    targets[index] = targetHealth({ target: `t${index}`, available });
  };
  return { looks, runtime, status, turn };
}

test('while someone watches, states are looked at every second; otherwise no timer runs', async () => {
  const { looks, runtime, status, turn } = watchable(1);
  let seen = 0;
  const watched = status.watch('understudy.target.t0', () => {
    seen += 1;
  });
  expect(watched.state).toBe('SERVING');
  looks.count = 0;
  await runtime.advance(3000);
  expect({ looks: looks.count, seen }).toEqual({ looks: 3, seen: 0 });
  turn(0, false);
  await runtime.advance(1000);
  expect({ seen, state: watched.state }).toEqual({ seen: 1, state: 'NOT_SERVING' });
  watched.stop();
  watched.stop();
  expect(runtime.pendingTimers()).toBe(0);
  turn(0, true);
  status.changed();
  status.startDraining();
  expect(seen).toBe(1);
  expect(runtime.pendingTimers()).toBe(0);
});

test('states are reckoned once for each change, however many watch, and who watches a name hears of it alone', async () => {
  const { looks, runtime, status, turn } = watchable(2);
  const heard = new Map<string, number>();
  for (let index = 0; index < 9_000; index++) {
    const name = index === 0 ? '' : `understudy.target.t${index % 2}`;
    status.watch(name, () => heard.set(name, (heard.get(name) ?? 0) + 1));
  }
  looks.count = 0;
  turn(0, false);
  for (let attempts = 0; attempts < 1_000; attempts++) status.changed();
  await runtime.advance(50);
  expect(looks.count).toBe(1);
  expect(Object.fromEntries(heard)).toEqual({ 'understudy.target.t0': 4_499 });
  await runtime.advance(1_000);
  expect(looks.count).toBe(2);
  expect(heard.size).toBe(1);
});

test('who watches hears at once that the server goes down', () => {
  const { status } = watchable(1);
  const heard: unknown[] = [];
  const watched = status.watch('', () => heard.push(watched.state));
  const liveness = status.watch('liveness', () => heard.push('liveness'));
  status.startDraining();
  expect(heard).toEqual(['NOT_SERVING']);
  expect(liveness.state).toBe('SERVING');
});

test('readiness says no while nothing more fits, and nothing else does', () => {
  let hasRoom = false;
  const status = new ServingStatus(
    () => [targetHealth()],
    createVirtualRuntime(),
    () => hasRoom,
  );
  status.startServing();
  expect(Object.fromEntries(status.all())).toMatchObject({
    '': 'SERVING',
    liveness: 'SERVING',
    readiness: 'NOT_SERVING',
  });
  expect(status.isReady).toBe(false);
  hasRoom = true;
  expect(status.isReady).toBe(true);
  expect(status.state('readiness')).toBe('SERVING');
});
