import type { Timers } from '../../core/ports.ts';

/** How often it is looked, in milliseconds. */
const LOOK_MS = 5_000;

/**
 * Watches whether this process has file descriptors left. Without any, Node accepts and closes new connections without a word, so
 * that nobody else would notice.
 *
 * @param timers should not keep the process alive
 * @param areUsedUp whether none is left
 * @param usedUp told each time that it is so
 * @returns stops watching
 */
export function watchDescriptors(timers: Timers, areUsedUp: () => boolean, usedUp: () => void): () => void {
  const look = (): void => {
    timer = timers.setTimer(LOOK_MS, look);
    if (areUsedUp()) usedUp();
  };
  let timer = timers.setTimer(LOOK_MS, look);
  return () => {
    timers.clearTimer(timer);
  };
}
