import { expect, test } from 'vitest';
import { Room } from '../../../src/server/health/room.ts';
import { createVirtualRuntime } from '../../support/virtual-runtime.ts';

function roomOf() {
  const runtime = createVirtualRuntime();
  const load = { fullForMs: 0, isOverloaded: false };
  return { load, room: new Room(() => load, runtime), runtime };
}

test('says that nothing fits once all slots have been taken for a second, and that something fits as soon as they are not', () => {
  const { load, room } = roomOf();
  expect(room.isLeft()).toBe(true);
  load.fullForMs = 999;
  expect(room.isLeft()).toBe(true);
  load.fullForMs = 1_000;
  expect(room.isLeft()).toBe(false);
  load.fullForMs = 0;
  expect(room.isLeft()).toBe(true);
});

test('says that nothing fits while the process has too much to do, and for five seconds behind that', async () => {
  const { load, room, runtime } = roomOf();
  load.isOverloaded = true;
  expect(room.isLeft()).toBe(false);
  load.isOverloaded = false;
  await runtime.advance(4_999);
  expect(room.isLeft()).toBe(false);
  await runtime.advance(1);
  expect(room.isLeft()).toBe(true);
});
