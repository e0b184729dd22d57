/** Who makes a call, as the configuration names it. */
export interface Caller {
  /** What logs and the ledger call it. */
  readonly name: string;
  /** What metrics call it: the same for all whom one entry of the configuration stands for. */
  readonly metricName: string;
  readonly group?: string | undefined;
  /** Routes that it may name or be given; absent: all. */
  readonly routes?: ReadonlySet<string> | undefined;
  /** Targets that may answer it; absent: all. */
  readonly targets?: ReadonlySet<string> | undefined;
  /** What its calls are counted in: its own account, then its group's. Those without limit and budget are left out. */
  readonly accounts: readonly CallerAccount[];
}

/** What a caller, or a group of them together, may do and spend. */
export interface CallerAccount {
  /** `caller:billing` or `group:backend`; unique. */
  readonly key: string;
  /** What accounts have in common that one call is counted in: the group's key, or the caller's own where it has no group. */
  readonly family: string;
  readonly limits: AccountLimits;
  readonly budgets: readonly CallerBudget[];
}

/** How much at a time; what is absent has no limit. */
export interface AccountLimits {
  readonly requestsPerMinute?: number | undefined;
  /** Prompt and answer together. */
  readonly tokensPerMinute?: number | undefined;
  readonly concurrentCalls?: number | undefined;
}

/** What may be spent in a day or a month of UTC. */
export interface CallerBudget {
  readonly nanoUsd: bigint;
  readonly per: BudgetPeriod;
}

/** How often a budget renews: at midnight UTC, or at that before the first of a month. */
export type BudgetPeriod = 'day' | 'month';
