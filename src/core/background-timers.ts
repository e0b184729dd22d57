import type { System, Timers } from './ports.ts';

/** Timers for work in the background: a program that has nothing else to do may end without waiting for them. */
export function backgroundTimers(system: System): Timers {
  return {
    now: () => system.now(),
    setTimer: (ms, fire) => system.setIdleTimer(ms, fire),
    clearTimer: (handle) => {
      system.clearTimer(handle);
    },
  };
}
