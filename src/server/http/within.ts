import type { Runtime } from '../../core/ports.ts';

/** Waits for a promise, but no longer than `ms` milliseconds. Tells whether it was settled in time; never rejects. */
export function within(
  runtime: Pick<Runtime, 'setTimer' | 'clearTimer'>,
  ms: number,
  promise: Promise<unknown>,
): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = runtime.setTimer(ms, () => resolve(false));
    const settle = (): void => {
      runtime.clearTimer(timer);
      resolve(true);
    };
    promise.then(settle, settle);
  });
}
