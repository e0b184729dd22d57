import type { Timers } from '../../core/ports.ts';

/** Resolves after so many milliseconds; rejects once the signal aborts. */
export async function pause(ms: number, signal: AbortSignal, timers: Timers): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = (): void => {
      timers.clearTimer(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = timers.setTimer(ms, end);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
  signal.throwIfAborted();
}
