import type { UsageRecord } from './usage-record.ts';

/** What rows of usage can be told apart by. `label:` goes before the name of a label. */
export type UsageKey =
  | 'caller'
  | 'group'
  | 'provider'
  | 'target'
  | 'model'
  | 'service_tier'
  | 'hour'
  | 'day'
  | 'month'
  | `label:${string}`;

/** Which records are meant. Times are milliseconds since the epoch, from the first on and before the last. */
export interface UsageFilter {
  readonly startMs: number;
  readonly endMs: number;
  /** Values that fields must have. */
  readonly equals: ReadonlyMap<Exclude<UsageKey, 'hour' | 'day' | 'month'>, string>;
}

/** Sums over the records that are alike in all keys that were asked for. */
export interface UsageSum {
  /** In the order in which they were asked for; times as RFC 3339, such as `2026-11-30T00:00:00Z`. */
  readonly keys: readonly string[];
  /** Requests of which an attempt is here. */
  readonly requests: number;
  readonly attempts: number;
  readonly inputTokens: bigint;
  readonly cachedInputTokens: bigint;
  readonly outputTokens: bigint;
  readonly reasoningTokens: bigint;
  /** What is known of the cost. */
  readonly costNanoUsd: bigint;
  readonly listNanoUsd: bigint;
  readonly unknownCostAttempts: number;
}

/** Reads the ledger. What was recorded a few seconds ago may not be there yet, unless the store says otherwise. Rejects where the store is gone. */
export interface UsageQueries {
  /** Returns sums in the order of their keys; at most `limit`, and those behind `after`, the keys of the last one before. */
  sums(
    filter: UsageFilter,
    keys: readonly UsageKey[],
    page: { readonly limit: number; readonly after?: readonly string[] | undefined },
  ): Promise<readonly UsageSum[]>;
  /** Returns the attempts of a request in their order. */
  attemptsOf(requestId: string, caller?: string): Promise<readonly UsageRecord[]>;
  /** Passes over all records in the order of their beginning, in pages that do not fill the memory. */
  records(filter: UsageFilter): AsyncIterable<readonly UsageRecord[]>;
  /** Returns what was spent since a time by caller and group: for budgets that are counted in memory. */
  spentSince(
    sinceMs: number,
  ): Promise<readonly { readonly caller: string; readonly group: string; readonly nanoUsd: bigint }[]>;
}
