import type { CallersConfig } from '../../config/port/caller-config.ts';
import { periodOf } from '../../core/calendar.ts';
import type { BudgetPeriod } from '../port/caller.ts';

/** What an account has spent before this process began. */
export interface SpentBefore {
  /** `caller:billing` or `group:backend`. */
  readonly key: string;
  readonly per: BudgetPeriod;
  readonly nanoUsd: bigint;
}

/** Tells what callers and their groups have spent since a time, in milliseconds since the epoch. */
export type SpentSince = (
  sinceMs: number,
) => Promise<readonly { readonly caller: string; readonly group: string; readonly nanoUsd: bigint }[]>;

/** Reads what callers and their groups have spent in the day and the month under way, as the ledger knows it. Rejects where it is gone. */
export async function readSpent(spentSince: SpentSince, wallMs: number): Promise<readonly SpentBefore[]> {
  const found: SpentBefore[] = [];
  for (const per of ['day', 'month'] as const) {
    for (const { caller, group, nanoUsd } of await spentSince(periodOf(per, wallMs).startMs)) {
      if (caller !== '') found.push({ key: `caller:${caller}`, per, nanoUsd });
      if (group !== '') found.push({ key: `group:${group}`, per, nanoUsd });
    }
  }
  return found;
}

/** Whether any caller or group has a budget. */
export function hasBudgets(config: CallersConfig | undefined): boolean {
  return config !== undefined && [...config.callers, ...config.groups].some(({ budgets }) => budgets.length > 0);
}
