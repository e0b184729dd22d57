/** The timers of one attempt, in milliseconds, before the engine's own statistics are weighed in. */
export interface AttemptTiming {
  /** Whether the upstream streams; a JSON call has the answer timer in place of first output and progress. */
  readonly streams: boolean;
  /** Limit for the first output without statistics, where there are signs of life. */
  readonly firstOutputMs: number;
  /** The same as long as not even a head has come; at most `firstOutputMs`. Absent: the same figure. */
  readonly noHeadMs?: number | undefined;
  /** The same where the head has come and nothing else; at most `firstOutputMs`. Absent: the same figure. */
  readonly headAloneMs?: number | undefined;
  /** Whether the API is known to send these signs, so that their limits hold for a target whose times are known, too. */
  readonly signsAreSure?: boolean | undefined;
  /** Whether its head comes with the first output, so that the want of one says nothing by itself. */
  readonly headComesWithWords?: boolean | undefined;
  /** Whether the request asks for reasoning, or the model may be silent: such calls are measured apart from others. */
  readonly mayThink: boolean;
  /** Estimated tokens of the prompt: times are measured by its size. */
  readonly promptTokens: number;
  /** Whether statistics may stand in place of these; false where a person has set it. */
  readonly firstOutputAdapts: boolean;
  /** Added to the limit whatever it is: the time to read a long prompt. */
  readonly promptMs: number;
  /** Limit between two outputs. */
  readonly progressMs: number;
  /** Added to the first-output limit where the upstream does not stream. */
  readonly answerMs: number;
}
