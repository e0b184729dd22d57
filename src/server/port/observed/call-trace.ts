/**
 * The trace that a call is part of, while it is under way: the ids that its providers are told (W3C Trace Context,
 * https://www.w3.org/TR/trace-context/). What has happened is told when it has ended.
 */
export interface CallTrace {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** Of the call's own span: 16 hexadecimal digits. */
  readonly spanId: string;
  /** Whether its spans are exported. */
  readonly isSampled: boolean;
  /** Ids of the spans of its attempts so far, in their order; empty where it is not sampled. */
  readonly attemptSpanIds: readonly string[];
  /** Begins an attempt: returns the headers that tell its provider of the trace, names and values in turn. Called once for each. */
  attempt(): readonly string[];
}
