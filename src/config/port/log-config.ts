/** Levels of log lines, from the least. */
export const LOG_LEVELS = ['info', 'warn', 'error'] as const;

/** What of the log is written. */
export interface LogConfig {
  /** The least level that is written; what operators do is written at any. Default info. */
  readonly level: (typeof LOG_LEVELS)[number];
  /** Share of the calls that ended well that have a line, 0 to 1. Default 1. */
  readonly goodShare: number;
}
