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
    const sums = new Map<string, bigint>();
    const add = (key: string, nanoUsd: bigint) => sums.set(key, (sums.get(key) ?? 0n) + nanoUsd);
    for (const { caller, group, nanoUsd } of await spentSince(periodOf(per, wallMs).startMs)) {
      if (caller !== '') add(`caller:${caller}`, nanoUsd);
      if (group !== '') add(`group:${group}`, nanoUsd);
    }
    for (const [key, nanoUsd] of sums) found.push({ key, per, nanoUsd });
  }
  return found;
}

/**
 * Returns the budgets of a configuration that another one has not, as {@link countsIn} takes them.
 *
 * @param before absent: there was none
 */
export function newBudgets(after: CallersConfig | undefined, before?: CallersConfig): ReadonlySet<string> {
  const known = new Set(budgetsOf(before));
  return new Set(budgetsOf(after).filter((budget) => !known.has(budget)));
}

/** Keeps what counts in one of some budgets, of the many callers of an entry as well. */
export function countsIn(budgets: ReadonlySet<string>): (spent: SpentBefore) => boolean {
  return ({ key, per }) => budgets.has(`${key.split(':', 2).join(':')} ${per}`);
}

function budgetsOf(config: CallersConfig | undefined): readonly string[] {
  const keysOf = (kind: string, entries: CallersConfig['groups'] = []): readonly string[] =>
    entries.flatMap(({ name, budgets }) => budgets.map(({ per }) => `${kind}:${name} ${per}`));
  return [...keysOf('caller', config?.callers), ...keysOf('group', config?.groups)];
}
