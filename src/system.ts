import { randomUUID } from 'node:crypto';

import type { EventLoop } from './core/cohort.ts';
import type { Runtime, TimerHandle } from './core/ports.ts';

/** The longest delay that Node's timers take; beyond it they fire at once. */
const MAX_TIMER_MS = 2_147_483_647;

/** The world outside the process, for everything that is handed time, chance and ids. */
export interface System extends Runtime, EventLoop {
  /** Returns a new unique id. */
  newId(): string;
  /** As `setTimer`, but does not keep the process alive. */
  setIdleTimer(ms: number, fire: () => void): TimerHandle;
  /** Ends the process after `ms` milliseconds with status 1, where it has not ended by then. Does not keep it alive. */
  exitWithin(ms: number): void;
}

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
  newId: () => randomUUID(),
  exitWithin: (ms) => {
    setTimeout(() => process.exit(1), ms).unref();
  },
};
