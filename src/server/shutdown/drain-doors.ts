import type { Runtime } from '../../core/ports.ts';
import type { DrainConfig } from '../../config/port/resolved.ts';
import { within } from '../http/within.ts';
import type { ServingStatus } from '../health/serving-status.ts';

/** A door as it goes down. */
export interface DrainableDoor {
  /** When a caller was connected last, by the runtime's clock: now where one is; -Infinity where there was none. */
  usedAtMs(): number;
  /**
   * Closes the listener and tells all connections to go elsewhere, while calls under way go on. Resolves, within about a second,
   * when no new call can come.
   */
  sendAway(): Promise<void>;
  /**
   * Sends all connections away, lets calls under way go on for `graceMs` milliseconds, ends what is left with UNAVAILABLE, and
   * closes all connections. Takes at most a second more than `graceMs`.
   */
  drain(graceMs: number): Promise<void>;
}

/** What goes down, and how. */
export interface DrainDoorsOptions extends DrainConfig {
  readonly serving: Pick<ServingStatus, 'startDraining'>;
  readonly doors: readonly DrainableDoor[];
  /** Is called once no new call can come by the doors' own means, though requests may still be received: nothing is to be repeated. */
  readonly repeatNothing: () => void;
  /** Is called once no call is under way at any door, or the grace is over: what comes all the same is to be refused. */
  readonly refuseNew: () => void;
  readonly runtime: Pick<Runtime, 'now' | 'setTimer' | 'clearTimer' | 'yieldIo'>;
}

/** For how long doors must have been without a caller for nobody to be left who would have to notice, in milliseconds. */
const UNUSED_MS = 10_000;

/**
 * Takes the doors down so that no caller sees it (engine rule D2): health and readiness turn, calls are taken until balancers
 * have noticed, then every connection is sent away, and calls under way go on to their end or to the end of the grace, also those
 * whose requests are still on their way.
 */
export async function drainDoors(options: DrainDoorsOptions): Promise<void> {
  const { serving, doors, repeatNothing, refuseNew, runtime, pauseMs, graceMs } = options;
  const beganAtMs = runtime.now();
  serving.startDraining();
  const isUsed = doors.some((door) => beganAtMs - door.usedAtMs() < UNUSED_MS);
  if (isUsed && pauseMs > 0) await passed(runtime, pauseMs);
  // The system resets a connection that was made and not taken when its listener is closed.
  await runtime.yieldIo();
  await Promise.all(doors.map((door) => door.sendAway()));
  repeatNothing();
  const leftMs = Math.max(0, graceMs - (runtime.now() - beganAtMs));
  const drained = Promise.all(doors.map((door) => door.drain(leftMs)));
  await within(runtime, leftMs, drained);
  refuseNew();
  await drained;
}

function passed(runtime: Pick<Runtime, 'setTimer'>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    runtime.setTimer(ms, resolve);
  });
}
