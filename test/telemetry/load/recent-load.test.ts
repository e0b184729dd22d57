import { expect, onTestFinished, test } from 'vitest';

import { RecentLoad, processCounters } from '../../../src/telemetry/load/recent-load.ts';
import { createVirtualRuntime } from '../../support/virtual-runtime.ts';
import { failed, success } from '../../server/support/fake-gateway.ts';

const SLOTS = () => ({ active: 25, maxActive: 100 });

/** A window over counters that rise by what a second is told to take. */
function watched() {
  const runtime = createVirtualRuntime();
  const totals = { active: 0, idle: 0, cpuMs: 0, refused: 0 };
  const window = new RecentLoad(runtime, {
    loop: () => totals,
    cpuMs: () => totals.cpuMs,
    memoryShare: () => 0.2,
    refused: () => totals.refused,
  });
  onTestFinished(() => {
    window.close();
    expect(runtime.pendingTimers()).toBe(0);
  });
  /** Lets seconds pass of which the loop is busy for a share. */
  const pass = async (seconds: number, busyShare: number, calls = 0): Promise<void> => {
    for (let second = 0; second < seconds; second++) {
      totals.active += 1_000 * busyShare;
      totals.idle += 1_000 * (1 - busyShare);
      totals.cpuMs += 500 * busyShare;
      for (let call = 0; call < calls; call++) window.callEnded({ result: success() });
      await runtime.advance(1_000);
    }
  };
  return { pass, totals, window };
}

test('load is that of the last ten seconds', async () => {
  const { pass, window } = watched();
  await pass(20, 1, 50);
  expect(window.figures(SLOTS)).toEqual({
    loopShare: 1,
    slotsShare: 0.25,
    cpuShare: 0.5,
    memoryShare: 0.2,
    callsPerSecond: 50,
    errorsPerSecond: 0,
  });
  await pass(3, 0);
  expect(window.figures(SLOTS).loopShare).toBeCloseTo(6 / 9);
  await pass(7, 0);
  expect(window.figures(SLOTS)).toMatchObject({ loopShare: 0, callsPerSecond: 0 });
});

test('until ten seconds have passed, it is that since the start', async () => {
  const { pass, window } = watched();
  await pass(1, 1, 8);
  await pass(1, 0, 0);
  expect(window.figures(SLOTS)).toMatchObject({ loopShare: 0.5, callsPerSecond: 4 });
});

test('figures stay as they are within a second, and the first call is in them at once', async () => {
  const { pass, window } = watched();
  await pass(2, 0.5);
  const idle = window.figures(SLOTS);
  expect(idle.callsPerSecond).toBe(0);
  expect(window.figures(SLOTS)).toBe(idle);
  window.callEnded({ result: success() });
  const called = window.figures(SLOTS);
  expect(called.callsPerSecond).toBe(0.5);
  window.callEnded({ result: success() });
  expect(window.figures(() => ({ active: 100, maxActive: 100 }))).toBe(called);
});

test('what a caller is to blame for is no error, what another gateway might have answered is', async () => {
  const { pass, totals, window } = watched();
  for (const status of ['UNAVAILABLE', 'INTERNAL', 'DEADLINE_EXCEEDED', 'ABORTED'] as const) {
    window.callEnded({ result: failed({ status }) });
  }
  for (const status of ['INVALID_ARGUMENT', 'CANCELLED', 'RESOURCE_EXHAUSTED', 'PERMISSION_DENIED'] as const) {
    window.callEnded({ result: failed({ status }) });
  }
  window.callEnded({ result: failed({ status: 'ABORTED', reason: 'SLOW_READER' }) });
  totals.refused += 1;
  await pass(1, 0);
  expect(window.figures(SLOTS)).toMatchObject({ callsPerSecond: 10, errorsPerSecond: 5 });
});

test('a process knows what it takes', () => {
  const counters = processCounters(() => 7);
  const { active, idle } = counters.loop();
  expect(active + idle).toBeGreaterThan(0);
  expect(counters.cpuMs()).toBeGreaterThan(0);
  expect(counters.memoryShare()).toBeGreaterThan(0);
  expect(counters.memoryShare()).toBeLessThan(1);
  expect(counters.refused()).toBe(7);
});
