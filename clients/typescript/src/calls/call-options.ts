import { REQUEST_ID_HEADER, TRACE_HEADER } from './header-names.ts';
import { setHeader } from './headers.ts';

/** Longest deadline that is sent, in milliseconds (27.7 hours): `grpc-timeout` has at most eight digits (gRPC over HTTP/2). */
const MAX_TIMEOUT_MS = 99_999_999;

/** Options of one call. */
export interface CallOptions {
  /** Aborts the call, and with it the provider's call behind the gateway. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Deadline in milliseconds from now: the budget of the whole chain of providers, and of all repeats. Default: that of the
   * method. 0 or Infinity sends none; the gateway then uses its own.
   */
  readonly timeoutMs?: number | undefined;
  /** Metadata of the call. Wins over the API key and the headers of the client. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Own id of the request, at most 128 printable ASCII characters. A `requestId` in the message wins. */
  readonly requestId?: string | undefined;
  /** Trace context of W3C, which the gateway passes on to its log. */
  readonly traceparent?: string | undefined;
  /** How often the call is repeated at most, where that cannot bill twice. Default: that of the client. */
  readonly maxRetries?: number | undefined;
  /** Whether to wait, within the deadline, for a gateway that cannot be reached. Default: that of the client. */
  readonly waitForReady?: boolean | undefined;
}

/** When a call is repeated. */
export interface RepeatPolicy {
  /** How often at most; 0 for never. */
  readonly maxRetries: number;
  /** Whether a gateway that cannot be reached is waited for until the deadline. */
  readonly waitForReady: boolean;
}

/** The headers that the options of one call set. Throws a TypeError for one that HTTP does not allow. */
export function headersOf({ headers, requestId, traceparent }: CallOptions): Headers {
  const merged = new Headers();
  for (const [name, value] of headers instanceof Headers ? headers : Object.entries(headers ?? {})) {
    setHeader(merged, name, value);
  }
  if (requestId !== undefined) setHeader(merged, REQUEST_ID_HEADER, requestId);
  if (traceparent !== undefined) setHeader(merged, TRACE_HEADER, traceparent);
  return merged;
}

/** When one call is repeated. Throws a RangeError for a number of repeats that is none. */
export function policyOf(options: CallOptions, defaults: RepeatPolicy): RepeatPolicy {
  const { maxRetries = defaults.maxRetries, waitForReady = defaults.waitForReady } = options;
  return { maxRetries: usableRetries(maxRetries), waitForReady };
}

/** Checks a number of repeats. Throws a RangeError. */
export function usableRetries(maxRetries: number): number {
  if (!Number.isInteger(maxRetries) || maxRetries < 0) throw new RangeError('maxRetries must be a whole number from 0');
  return maxRetries;
}

/**
 * Makes a timeout that survives the way to the server, where 0 means none: whole milliseconds, since servers read "1.5m" as
 * 5 ms, and at most {@link MAX_TIMEOUT_MS}. Throws a RangeError for one that is negative or not a number.
 */
export function sendableTimeoutMs(timeoutMs: number): number {
  if (Number.isNaN(timeoutMs) || timeoutMs < 0) throw new RangeError('timeoutMs must be 0 or more');
  return timeoutMs === Number.POSITIVE_INFINITY ? 0 : Math.min(Math.ceil(timeoutMs), MAX_TIMEOUT_MS);
}
