import type { Caller, CallerAccount } from '../../callers/port/caller.ts';
import { periodOf } from '../../core/calendar.ts';
import type { BudgetState, CallerActivity } from '../../server/port/shown/recent-history.ts';
import { isOurs } from '../logging/log-fields.ts';
import type { SpentOf } from '../metering/caller-metrics.ts';
import type { CallReport } from '../report/call-report.ts';
import { DayCosts } from './day-costs.ts';
import { TrafficCounts } from './traffic-counts.ts';

/** Callers that are remembered, those that have called last: tokens may name many. */
const MOST_CALLERS = 500;

interface KnownCaller {
  readonly caller: Caller;
  readonly traffic: TrafficCounts;
}

/** What named callers have done of late, and what is left of their budgets. */
export class CallerActivities {
  readonly #spentOf: SpentOf;
  readonly #costs: DayCosts;
  /** The one that has called last is the last. */
  readonly #known = new Map<string, KnownCaller>();
  #last: KnownCaller | undefined;

  /** @param startedAtMs from when on it is counted, in milliseconds since the epoch */
  constructor(spentOf: SpentOf, startedAtMs: number) {
    this.#spentOf = spentOf;
    this.#costs = new DayCosts(startedAtMs);
  }

  /** Counts a call. `now` is monotonic, `wall` of the epoch. */
  callEnded({ caller, outcome, attempts }: CallReport, { now, wall }: { now: number; wall: number }): void {
    if (caller === undefined) return;
    const { name } = caller;
    const known = this.#last?.caller === caller ? this.#last : this.#moveToEnd(caller);
    known.traffic.add(outcome.reason !== undefined && isOurs(outcome.reason), now);
    for (const { cost } of attempts) if (cost !== undefined) this.#costs.add(name, cost, wall);
    if (this.#known.size <= MOST_CALLERS) return;
    const [oldest] = this.#known.keys();
    if (oldest === undefined) return;
    this.#known.delete(oldest);
    this.#costs.delete(oldest);
  }

  #moveToEnd(caller: Caller): KnownCaller {
    const { name } = caller;
    this.#last = { caller, traffic: this.#known.get(name)?.traffic ?? new TrafficCounts() };
    this.#known.delete(name);
    this.#known.set(name, this.#last);
    return this.#last;
  }

  /** Returns those that are remembered, by name. */
  list({ now, wall }: { now: number; wall: number }): readonly CallerActivity[] {
    return [...this.#known.values()]
      .map(({ caller: { name, group }, traffic }): CallerActivity => {
        const { lastMinute, failedLastMinute } = traffic.lastMinute(now);
        const { lastHour } = traffic.lastHour(now);
        return { name, group, lastMinute, failedLastMinute, lastHour, costToday: this.#costs.of(name, wall) };
      })
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** Returns their budgets and those of their groups. */
  budgets(wallMs: number): readonly BudgetState[] {
    const accounts = new Map<string, CallerAccount>();
    for (const { caller } of this.#known.values())
      for (const account of caller.accounts) accounts.set(account.key, account);
    return [...accounts.values()].flatMap((account) => {
      if (account.budgets.length === 0) return [];
      const spent = this.#spentOf(account);
      return account.budgets.flatMap(({ per, nanoUsd }) => {
        const found = spent.find((one) => one.per === per);
        if (found === undefined) return [];
        const renewsAtMs = periodOf(per, wallMs).endMs;
        const amounts = { nanoUsd: Number(nanoUsd), spentNanoUsd: Number(found.nanoUsd) };
        return [{ account: account.key, per, ...amounts, renewsAtMs }];
      });
    });
  }
}
