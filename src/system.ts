import crypto from 'node:crypto';

import { MAX_TIMER_MS, type System } from './core/ports.ts';

/** The real clock, random numbers and timers. The only file that may name them. */
export const system: System = {
  now: () => performance.now(),
  wall: () => Date.now(),
  setTimer: (ms, fire) => setTimeout(fire, Math.min(Math.ceil(ms), MAX_TIMER_MS)),
  clearTimer: (handle) => {
    clearTimeout(handle as NodeJS.Timeout);
  },
  random: () => Math.random(),
  // What has come is read in this turn and told at its end, maybe after us (`core/cohort.ts`); the next turn ends behind it.
  yieldIo: () => new Promise((resolve) => setImmediate(() => setImmediate(resolve))),
  setIdleTimer: (ms, fire) => setTimeout(fire, Math.min(Math.ceil(ms), MAX_TIMER_MS)).unref(),
  afterInput: (run) => {
    setImmediate(run);
  },
  // In the order of time, where Node has such: neighbours in a ledger's index then.
  newId: 'randomUUIDv7' in crypto ? () => crypto.randomUUIDv7() : () => crypto.randomUUID(),
  busyMs: () => {
    const { user, system: kernel } = process.threadCpuUsage();
    return (user + kernel) / 1_000;
  },
  exitWithin: (ms) => {
    setTimeout(() => process.exit(1), ms).unref();
  },
};
