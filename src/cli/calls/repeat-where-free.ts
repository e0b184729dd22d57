import { ConnectError } from '@connectrpc/connect';

import type { Timers } from '../../core/ports.ts';
import { type CallError, readCallError } from './call-error.ts';
import { pause } from './pause.ts';

/** Wait before a gateway that was not reached is looked for again, in milliseconds. */
const UNREACHED_WAIT_MS = 500;

/** Time for all tries together where no deadline is given, in milliseconds. */
const DEFAULT_BUDGET_MS = 120_000;

/** How often and how long a call is repeated. */
export interface RepeatOptions {
  /** Most repeats. */
  readonly retries: number;
  /** Deadline of all tries together, in milliseconds; absent: each has that of its method. */
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal;
  readonly timers: Timers;
  /** Hears of each repeat before its wait. */
  readonly onRepeat: (error: CallError, waitMs: number) => void;
}

/**
 * Makes a call, and again where that bills nothing twice: the gateway invites to it, since it has asked no provider, or was never
 * reached. Waits as long as it says, and not where that would outlast the deadline.
 *
 * @param call - is told the deadline that is left, in milliseconds
 */
export async function repeatWhereFree(
  call: (timeoutMs: number | undefined) => Promise<void>,
  { retries, timeoutMs, signal, timers, onRepeat }: RepeatOptions,
): Promise<void> {
  const endAtMs = timers.now() + (timeoutMs ?? DEFAULT_BUDGET_MS);
  for (let left = retries; ; left -= 1) {
    try {
      await call(timeoutMs === undefined ? undefined : Math.max(1, endAtMs - timers.now()));
      return;
    } catch (error) {
      if (left === 0 || signal.aborted || !(error instanceof ConnectError)) throw error;
      const told = readCallError(error);
      const waitMs = waitBefore(told);
      if (waitMs === undefined || timers.now() + waitMs >= endAtMs) throw error;
      onRepeat(told, waitMs);
      await pause(waitMs, signal, timers);
    }
  }
}

function waitBefore({ mayRetry, retryAfterMs }: CallError): number | undefined {
  return mayRetry ? (retryAfterMs ?? UNREACHED_WAIT_MS) : undefined;
}
