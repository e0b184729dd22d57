import type { UsageFilter, UsageKey, UsageQueries, UsageSum } from '../../../src/ledger/port/usage-queries.ts';
import type { UsageRecord } from '../../../src/ledger/port/usage-record.ts';
import type { UsageParts } from '../../../src/server/port/usage-parts.ts';

/** What was asked of a ledger. */
export type AskedUsage =
  | {
      readonly filter: UsageFilter;
      readonly keys: readonly UsageKey[];
      readonly limit: number;
      readonly after: readonly string[] | undefined;
    }
  | { readonly requestId: string; readonly caller: string | undefined };

/** A ledger that answers as a test says, and notes what it was asked. */
export interface FakeUsage {
  readonly asked: AskedUsage[];
  readonly parts: UsageParts;
}

/** When it is for {@link fakeUsage}. */
export const NOW_MS = Date.UTC(2026, 10, 30, 14, 5);

/** Makes a ledger of sums, which it returns in pages, and of records. */
export function fakeUsage(
  sums: readonly UsageSum[] = [],
  records: readonly UsageRecord[] = [],
  changes: Partial<UsageQueries> = {},
): FakeUsage {
  const asked: AskedUsage[] = [];
  const queries: UsageQueries = {
    sums: async (filter, keys, { limit, after }) => {
      asked.push({ filter, keys, limit, after });
      const first = after === undefined ? 0 : sums.findIndex((sum) => sum.keys.join() === after.join()) + 1;
      return sums.slice(first, first + limit);
    },
    attemptsOf: async (requestId, caller) => {
      asked.push({ requestId, caller });
      return records.filter((record) => record.requestId === requestId && (caller ?? record.caller) === record.caller);
    },
    // oxlint-disable-next-line require-yield
    records: async function* () {
      if (records.length > 0) yield records;
    },
    spentSince: async () => [],
    ...changes,
  };
  return { asked, parts: { queries, wall: () => NOW_MS, newRequestId: () => 'made-here', random: () => 0.5 } };
}

/** Makes a sum; what does not matter is easy to tell. */
export function usageSum(keys: readonly string[], more: Partial<UsageSum> = {}): UsageSum {
  return {
    keys,
    requests: 2,
    attempts: 3,
    inputTokens: 1_000n,
    cachedInputTokens: 400n,
    outputTokens: 100n,
    reasoningTokens: 10n,
    costNanoUsd: 2_800_000n,
    listNanoUsd: 3_000_000_000n,
    unknownCostAttempts: 1,
    ...more,
  };
}
