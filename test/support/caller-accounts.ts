import type { AccountLimits, Caller, CallerAccount, CallerBudget } from '../../src/callers/port/caller.ts';

/** 0.01 USD. */
export const CENT = 10_000_000n;

/** An account of a caller, of a family of its own unless told otherwise. */
export function accountOf(
  key: string,
  { limits = {}, budgets = [], family = key }: Partial<Pick<CallerAccount, 'limits' | 'budgets' | 'family'>>,
): CallerAccount {
  return { key, family, limits, budgets };
}

/** A caller with one account. */
export function callerOf(
  name: string,
  more: Partial<Caller> & { readonly limits?: AccountLimits; readonly budgets?: readonly CallerBudget[] } = {},
): Caller {
  const { limits, budgets, ...rest } = more;
  const own = limits === undefined && budgets === undefined ? [] : [accountOf(`caller:${name}`, more)];
  return { name, metricName: name, accounts: own, ...rest };
}

/** A budget of some cents. */
export function cents(count: number, per: CallerBudget['per'] = 'day'): CallerBudget {
  return { nanoUsd: BigInt(count) * CENT, per };
}
