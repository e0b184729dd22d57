import type { Timers } from '../../core/ports.ts';

/** How often it is looked, in milliseconds. */
const LOOK_MS = 10_000;
/** What uses so much of a core is a load: more than a start does. */
const LOAD_SHARE = 0.25;
/** Below this share of a core nobody minds a pause of some milliseconds. */
const QUIET_SHARE = 0.05;
/** V8 collects what a load or a start has left within 100 s of quiet, in several goes, and each leaves more to give back. */
const GOES = 12;

/**
 * Has memory given back to the system when a load is over, or a start: in the first two minutes of quiet after it, every ten seconds.
 *
 * @param timers should not keep the process alive
 * @param cpuMs CPU time that this process has used so far, in milliseconds
 * @param giveBack takes some milliseconds
 * @returns stops it
 */
export function returnMemory(timers: Timers, cpuMs: () => number, giveBack: () => void): () => void {
  let left = GOES;
  let before = { cpuMs: cpuMs(), atMs: timers.now() };
  const look = (): void => {
    timer = timers.setTimer(LOOK_MS, look);
    const now = { cpuMs: cpuMs(), atMs: timers.now() };
    const share = (now.cpuMs - before.cpuMs) / (now.atMs - before.atMs);
    before = now;
    if (share >= LOAD_SHARE) left = GOES;
    else if (share < QUIET_SHARE && left > 0) {
      left -= 1;
      giveBack();
    }
  };
  let timer = timers.setTimer(LOOK_MS, look);
  return () => {
    timers.clearTimer(timer);
  };
}
