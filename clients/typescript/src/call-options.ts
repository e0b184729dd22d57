import type { CallOptions as ConnectCallOptions } from '@connectrpc/connect';

/** Header that carries the caller's own id of a request. */
export const REQUEST_ID_HEADER = 'x-request-id';

/** Longest deadline that is sent, in milliseconds (27.7 hours): `grpc-timeout` has at most eight digits (gRPC over HTTP/2). */
const MAX_TIMEOUT_MS = 99_999_999;

/** Options of one call. */
export interface CallOptions {
  /** Aborts the call, and with it the provider's call behind the gateway. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Deadline in milliseconds from now: the budget of the whole chain of providers. Default: that of the method. 0 or Infinity
   * sends none; the gateway then uses its own.
   */
  readonly timeoutMs?: number | undefined;
  /** Metadata of the call, such as `authorization`. Wins over the headers of the client. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Own id of the request, at most 128 printable ASCII characters. A `requestId` in the message wins. */
  readonly requestId?: string | undefined;
}

/**
 * Makes the options that Connect takes. Throws a RangeError for a timeout that is negative or not a number, and a TypeError
 * for a header that HTTP does not allow.
 */
export function connectOptions(options: CallOptions, defaultTimeoutMs: number): ConnectCallOptions {
  const { signal, timeoutMs = defaultTimeoutMs, headers, requestId } = options;
  const merged = new Headers(headers);
  if (requestId !== undefined) merged.set(REQUEST_ID_HEADER, requestId);
  return { timeoutMs: sendableTimeoutMs(timeoutMs), headers: merged, ...(signal === undefined ? {} : { signal }) };
}

/**
 * Makes a timeout that survives the way to the server, where 0 means none: whole milliseconds, since servers read the "1.5m"
 * that Connect would write as 5 ms, and at most {@link MAX_TIMEOUT_MS}.
 */
export function sendableTimeoutMs(timeoutMs: number): number {
  if (Number.isNaN(timeoutMs) || timeoutMs < 0) throw new RangeError('timeoutMs must be 0 or more');
  return timeoutMs === Number.POSITIVE_INFINITY ? 0 : Math.min(Math.ceil(timeoutMs), MAX_TIMEOUT_MS);
}
