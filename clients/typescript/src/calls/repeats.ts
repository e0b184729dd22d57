import { ConnectError } from '@connectrpc/connect';
import { decodeError } from '../answers/decode-error.ts';
import type { RepeatPolicy } from './call-options.ts';
import type { CallScope } from './call-scope.ts';
import { asUnavailable, wasNotSent } from './not-sent.ts';

/** How often a call is repeated by default. */
export const DEFAULT_MAX_RETRIES = 2;

const FIRST_BACKOFF_MS = 250;
const GROWTH = 4;
/** Less time than this is no use to a call. */
const LEAST_TRY_MS = 10;
/** How often a gateway that cannot be reached is tried again by those who wait for it. */
const ROUND_MS = 200;

/**
 * Runs a call, and repeats it where that cannot bill twice: the gateway invites to it, or asked no provider, or was never
 * reached. Waits as long as the gateway asks; a repeat that would come after the deadline is not waited for. Rejects with
 * the last error, or with what ended the call.
 */
export async function withRepeats<Value>(
  scope: CallScope,
  { maxRetries, waitForReady }: RepeatPolicy,
  run: () => Promise<Value>,
): Promise<Value> {
  let backoffMs = FIRST_BACKOFF_MS;
  for (let left = maxRetries; ;) {
    let error: ConnectError;
    try {
      return await run();
    } catch (thrown) {
      if (scope.signal.aborted) throw scope.errorOf(thrown);
      error = asUnavailable(ConnectError.from(thrown));
    }
    const { mayRetry, retryAfterMs } = decodeError(error);
    if (!mayRetry) throw error;
    let waitMs = retryAfterMs;
    if (waitForReady && wasNotSent(error)) {
      waitMs = ROUND_MS;
    } else {
      if (left <= 0) throw error;
      left -= 1;
      waitMs ??= backoffMs * (0.8 + 0.4 * Math.random());
      backoffMs *= GROWTH;
    }
    if (waitMs + LEAST_TRY_MS > scope.remainingMs) throw error;
    await scope.wait(waitMs);
  }
}
