import type { FailureReason } from '../../../core/failure.ts';
import type { Timers } from '../../../core/ports.ts';

/** How long the answer to a free call may take, in milliseconds (engine rule K8). */
export const ANSWER_MS = 5_000;

/** Whether a target may be used, as far as a free call can tell; `down`: it did not answer, or with a fault of its own. */
export type Usability = 'usable' | 'unusable' | 'unknown' | 'down';

/** Makes free calls to targets: never a completion (engine rule K8). */
export interface FreeCheck {
  /** Whether a free call can tell if what keeps a target out of use has ended; of CIRCUIT_OPEN: whether there is any for it. */
  covers(target: string, reason: FailureReason): boolean;
  /** Makes the call. Whoever it rejects for is down. */
  run(target: string, signal: AbortSignal): Promise<Usability>;
}

/** What is going on for a target: a check that waits for its time, or one under way. */
export interface Watch {
  stop(): void;
}

/** Makes one free call, which has {@link ANSWER_MS}; `conclude` is told once what it says, unless it is stopped before. */
export function askForFree(
  timers: Timers,
  check: FreeCheck,
  target: string,
  conclude: (usability: Usability) => void,
): Watch {
  const abort = new AbortController();
  let isOver = false;
  const stop = (): void => {
    isOver = true;
    timers.clearTimer(timer);
    abort.abort();
  };
  const end = (usability: Usability): void => {
    if (isOver) return;
    stop();
    conclude(usability);
  };
  const timer = timers.setTimer(ANSWER_MS, () => {
    end('down');
  });
  check.run(target, abort.signal).then(end, () => {
    end('down');
  });
  return { stop };
}
