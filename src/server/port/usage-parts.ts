import type { UsageQueries } from '../../ledger/port/usage-queries.ts';

/** What tells of usage. */
export interface UsageParts {
  /** Absent: there is no ledger. */
  readonly queries?: UsageQueries | undefined;
  /** Milliseconds since the epoch. */
  readonly wall: () => number;
  readonly newRequestId: () => string;
  /** Chance, 0 to 1, that spreads the repeats of clients. */
  readonly random: () => number;
}

/** Who is told: operators of everybody's usage, callers of their own, or nobody of any. */
export type UsageAudience = 'operators' | 'callers' | 'nobody';
