import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { FreshConnections } from '../../../src/server/http/fresh-connections.ts';
import { createVirtualRuntime } from '../../support/virtual-runtime.ts';

function waiting(...sockets: readonly Socket[]) {
  const runtime = createVirtualRuntime({ nowMs: 0 });
  const fresh = new FreshConnections(runtime);
  for (const socket of sockets) fresh.add(socket);
  let usedAtMs: number | undefined;
  const used = fresh.used().then(() => {
    usedAtMs = runtime.now();
  });
  return { runtime, fresh, used, usedAtMs: () => usedAtMs };
}

test('without any there is nothing to wait for', async () => {
  const { used, usedAtMs } = waiting();
  await used;
  expect(usedAtMs()).toBe(0);
});

test('the wait ends with the first request of the last of them', async () => {
  const [one, other] = [new Socket(), new Socket()];
  const { runtime, fresh, used, usedAtMs } = waiting(one, other);
  await runtime.advance(300);
  fresh.delete(one);
  fresh.delete(one);
  await runtime.advance(200);
  expect(fresh.isEmpty).toBe(false);
  expect(usedAtMs()).toBeUndefined();
  fresh.delete(other);
  await used;
  expect([usedAtMs(), fresh.isEmpty]).toEqual([500, true]);
});

test('who sends nothing for a second is given up', async () => {
  const { runtime, fresh, usedAtMs } = waiting(new Socket());
  await runtime.advance(999);
  expect([usedAtMs(), fresh.isEmpty]).toEqual([undefined, false]);
  await runtime.advance(1);
  expect([usedAtMs(), fresh.isEmpty]).toEqual([1_000, true]);
});
