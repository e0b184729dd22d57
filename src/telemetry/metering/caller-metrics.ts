import type { Registry } from 'prom-client';

import type { Caller, CallerAccount } from '../../callers/port/caller.ts';
import type { CallReport } from '../report/call-report.ts';
import { createTalliedCounter, readGauge, type Tally } from './tally.ts';

const NANO_USD_PER_USD = 1e9;

/** Tells what an account has spent of its budgets in the periods under way, in nano-USD. */
export type SpentOf = (account: CallerAccount) => readonly { readonly per: string; readonly nanoUsd: bigint }[];

/** Records what callers do. */
export interface CallerRecorder {
  record(end: CallReport): void;
  /** Goes on with the budgets of another configuration, given its accounts by their keys. */
  accountsHold(accounts: ReadonlyMap<string, CallerAccount>): void;
}

/**
 * Makes the metrics of callers. Callers have the names of the configuration, so that there are as many as it names. What is left of
 * budgets is shown of callers that have called, and only with `spentOf`.
 */
export function createCallerRecorder(registry: Registry, spentOf?: SpentOf): CallerRecorder {
  const registers = [registry];
  const calls = createTalliedCounter({
    name: 'understudy_caller_calls_total',
    help: 'Calls of named callers that have ended.',
    labelNames: ['caller', 'outcome'],
    registers,
  });
  const cost = createTalliedCounter({
    name: 'understudy_caller_cost_usd_total',
    help: 'What the calls of named callers have cost, as far as it is known.',
    labelNames: ['caller'],
    registers,
  });
  const refused = createTalliedCounter({
    name: 'understudy_caller_refused_total',
    help: 'Calls that a limit or a budget of a caller or its group has ended.',
    labelNames: ['caller', 'limit'],
    registers,
  });
  const accounts = new Map<string, CallerAccount>();
  if (spentOf !== undefined) registerRemaining(registry, accounts, spentOf);
  const known = new Map<string, { readonly ok: Tally; readonly cost: Tally }>();
  const seen = new WeakSet<Caller>();
  const showAccounts = (caller: Caller): void => {
    const { metricName, name } = caller;
    seen.add(caller);
    for (const account of caller.accounts) {
      // Of those whom one entry stands for only the group is shown.
      const isOfEntry = name === metricName || account.key !== `caller:${name}`;
      if (account.budgets.length > 0 && isOfEntry) accounts.set(account.key, account);
    }
  };
  const record = ({ caller, outcome, cost: spent, refusedBy }: CallReport): void => {
    if (caller === undefined) return;
    const { metricName } = caller;
    let series = known.get(metricName);
    if (series === undefined) {
      series = {
        ok: calls.open({ caller: metricName, outcome: 'OK' }),
        cost: cost.open({ caller: metricName }),
      };
      known.set(metricName, series);
    }
    if (!seen.has(caller)) showAccounts(caller);
    if (outcome.reason === undefined) series.ok(1);
    else calls.open({ caller: metricName, outcome: outcome.reason })(1);
    if (spent?.nanoUsd !== undefined) series.cost(Number(spent.nanoUsd) / NANO_USD_PER_USD);
    if (refusedBy !== undefined) refused.open({ caller: metricName, limit: refusedBy })(1);
  };
  return {
    record,
    accountsHold: (now) => {
      for (const key of accounts.keys()) {
        const account = now.get(key);
        if (account === undefined || account.budgets.length === 0) accounts.delete(key);
        else accounts.set(key, account);
      }
    },
  };
}

function registerRemaining(registry: Registry, accounts: ReadonlyMap<string, CallerAccount>, spentOf: SpentOf): void {
  const config = {
    name: 'understudy_caller_budget_remaining_usd',
    help: 'What is not yet spent of the budget of a caller or a group; below 0 where it was overspent.',
    labelNames: ['account', 'per'] as const,
    registers: [registry],
  };
  readGauge(config, () => accounts.values().flatMap((account) => remaining(account, spentOf)));
}

function* remaining(account: CallerAccount, spentOf: SpentOf) {
  for (const { per, nanoUsd } of spentOf(account)) {
    const budget = account.budgets.find((one) => one.per === per);
    if (budget === undefined) continue;
    yield [{ account: account.key, per }, Number(budget.nanoUsd - nanoUsd) / NANO_USD_PER_USD] as const;
  }
}
