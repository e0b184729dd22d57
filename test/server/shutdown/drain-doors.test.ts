import { expect, test } from 'vitest';
import { type DrainableDoor, drainDoors } from '../../../src/server/shutdown/drain-doors.ts';
import { createVirtualRuntime } from '../../support/virtual-runtime.ts';

/** Drains two doors and writes down what happens when; each takes `sendAwayMs` to send its callers away, and `underWayMs` to be idle. */
function draining({ usedAtMs = 100_000, pauseMs = 2_000, graceMs = 25_000, sendAwayMs = 0, underWayMs = 0 } = {}) {
  const runtime = createVirtualRuntime({ nowMs: 100_000 });
  const seen: string[] = [];
  const tell = (what: string): void => {
    seen.push(`${runtime.now() - 100_000}: ${what}`);
  };
  const door = (name: string): DrainableDoor => ({
    usedAtMs: () => (name === 'grpc' ? usedAtMs : -Infinity),
    sendAway: () =>
      new Promise((resolve) => {
        tell(`${name} sends away`);
        if (sendAwayMs === 0) resolve();
        else runtime.setTimer(sendAwayMs, resolve);
      }),
    drain: (leftMs) =>
      new Promise((resolve) => {
        tell(`${name} drains for ${leftMs}`);
        if (underWayMs === 0) resolve();
        else runtime.setTimer(underWayMs, resolve);
      }),
  });
  const done = drainDoors({
    serving: { startDraining: () => tell('health turns') },
    doors: [door('grpc'), door('web')],
    repeatNothing: () => tell('repeats nothing'),
    refuseNew: () => tell('refuses'),
    runtime,
    pauseMs,
    graceMs,
  });
  return { runtime, seen, done };
}

test('health turns, then comes the pause, then callers are sent away, and nothing is repeated; the grace includes it all', async () => {
  const { runtime, seen, done } = draining({ sendAwayMs: 500 });
  expect(seen).toEqual(['0: health turns']);
  await runtime.runUntilIdle();
  await done;
  expect(seen).toEqual([
    '0: health turns',
    '2000: grpc sends away',
    '2000: web sends away',
    '2500: repeats nothing',
    '2500: grpc drains for 22500',
    '2500: web drains for 22500',
    '2500: refuses',
  ]);
});

test.each([
  ['no call is under way any more', 7_000, '9500: refuses'],
  ['the grace is over', 23_000, '25000: refuses'],
])('calls are refused only when %s: their requests may have been on their way', async (_when, underWayMs, refuses) => {
  const { runtime, seen, done } = draining({ sendAwayMs: 500, underWayMs });
  await runtime.runUntilIdle();
  await done;
  expect(seen.slice(3)).toEqual([
    '2500: repeats nothing',
    '2500: grpc drains for 22500',
    '2500: web drains for 22500',
    refuses,
  ]);
});

test.each([
  ['nobody was ever connected', { usedAtMs: -Infinity }],
  ['nobody was connected for ten seconds', { usedAtMs: 90_000 }],
  ['none is wanted', { pauseMs: 0 }],
])('there is no pause where %s', async (_case, options) => {
  const { seen, done } = draining(options);
  await done;
  expect(seen).toContain('0: grpc sends away');
  expect(seen).toContain('0: web drains for 25000');
});
