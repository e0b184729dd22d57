/** The limits of one attempt, in milliseconds. */
export interface AttemptLimits {
  /** Longest wait for the first output that the chain allows (engine rule B1). */
  readonly sliceMs: number;
  /** Longest wait for the first output that the target allows; for the whole answer where it does not stream. */
  readonly firstOutputMs: number;
  /** The same as long as not even a head has come; at most `firstOutputMs`. */
  readonly noHeadMs: number;
  /** The same where the head has come and nothing else; at most `firstOutputMs`. */
  readonly headAloneMs: number;
  /** Silence from which on the provider is to blame, where its limit is not shorter (engine rule X1). */
  readonly blameAfterMs: number;
  readonly progressMs: number;
  readonly clientStallMs: number;
  /** When the request must have ended, on the runtime's clock. */
  readonly deadlineAtMs: number;
}

/** What has come of an attempt before its first output. A late head is one before which the model may have thought. */
export type Arrived = 'nothing' | 'head' | 'late_head' | 'sign';

/** A head that comes up to so many milliseconds after the start is one alone; a later one may come just before the first output. */
const EARLY_HEAD_MS = 10_000;

/** Returns what a head is that comes now, so many milliseconds after the start; asked for only where it matters. */
export function arrivedHead(limits: AttemptLimits, attempt: { readonly elapsedMs: number }): Arrived {
  return limits.headAloneMs < limits.noHeadMs && attempt.elapsedMs > EARLY_HEAD_MS ? 'late_head' : 'head';
}

/** Returns how long the target may take to its first output, given what has come of it (engine rule G5), in milliseconds. */
export function firstOutputLimitMs(limits: AttemptLimits, arrived: Arrived): number {
  switch (arrived) {
    case 'nothing':
    case 'late_head':
      return limits.noHeadMs;
    case 'head':
      return limits.headAloneMs;
    case 'sign':
      return limits.firstOutputMs;
  }
}

/** Returns the same, but for what the chain and the deadline allow an attempt that began then, on the runtime's clock. */
export function allowedSilenceMs(limits: AttemptLimits, arrived: Arrived, startedAtMs: number): number {
  return Math.min(limits.sliceMs, limits.deadlineAtMs - startedAtMs, firstOutputLimitMs(limits, arrived));
}
