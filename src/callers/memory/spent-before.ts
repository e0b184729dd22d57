import { periodOf } from '../../core/calendar.ts';
import type { BudgetPeriod } from '../port/caller.ts';

/** What an account has spent before this process began. */
export interface SpentBefore {
  /** `caller:billing` or `group:backend`. */
  readonly key: string;
  readonly per: BudgetPeriod;
  readonly nanoUsd: bigint;
}

/** Reads what callers and their groups have spent in the day and the month under way, as the ledger knows it. */
export async function readSpent(
  spentSince: (
    sinceMs: number,
  ) => Promise<readonly { readonly caller: string; readonly group: string; readonly nanoUsd: bigint }[]>,
  wallMs: number,
): Promise<readonly SpentBefore[]> {
  const found: SpentBefore[] = [];
  for (const per of ['day', 'month'] as const) {
    for (const { caller, group, nanoUsd } of await spentSince(periodOf(per, wallMs).startMs)) {
      if (caller !== '') found.push({ key: `caller:${caller}`, per, nanoUsd });
      if (group !== '') found.push({ key: `group:${group}`, per, nanoUsd });
    }
  }
  return found;
}
