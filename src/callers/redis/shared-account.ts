import type { BudgetPeriod, CallerAccount, CallerBudget } from '../port/caller.ts';

/** Periods in the order of the script. */
const PERIODS = ['day', 'month'] as const;

/** A sum of a period, and the day since 1970 with which the period ends. */
interface SeenSum {
  endDay: number;
  nanoUsd: number;
}

/** Sums that are booked together, once. */
interface Booking {
  nanoUsd: number;
  tokens: number;
}

/** What a replica has under way on one account, and has not yet booked. */
export class SharedAccount {
  readonly key: string;
  /** Limits and budgets as the script reads them. */
  #bounds = '';
  #account: CallerAccount | undefined;
  /** Calls under way. */
  calls = 0;
  /** Nano-USD reserved; below 2^53, as budgets are. */
  held = 0;
  /** Whether the store has not been told of a change that it must know. */
  isDirty = false;
  /** Who waits for something to be given back. */
  readonly waiting = new Set<() => void>();
  #number = 0;
  /** What was sent under `#number`; undefined when it is known to be booked. */
  #sent: Booking | undefined;
  #unsent: Booking = { nanoUsd: 0, tokens: 0 };
  readonly #seen: Readonly<Record<BudgetPeriod, SeenSum>> = {
    day: { endDay: 0, nanoUsd: 0 },
    month: { endDay: 0, nanoUsd: 0 },
  };

  constructor(key: string) {
    this.key = key;
  }

  /** Takes the account's limits and budgets over, where they are others than before. */
  follow(account: CallerAccount): void {
    if (account === this.#account) return;
    this.#account = account;
    const { requestsPerMinute = 0, tokensPerMinute = 0, concurrentCalls = 0 } = account.limits;
    const budgets = PERIODS.map((per) => leastBudget(account, per)?.nanoUsd ?? -1n);
    this.#bounds = [requestsPerMinute, tokensPerMinute, concurrentCalls, ...budgets].join(' ');
  }

  /** Whether nothing would be lost with it but the greatest sums that it has seen. */
  get isIdle(): boolean {
    return this.calls === 0 && this.held === 0 && !this.isDirty && this.waiting.size === 0 && this.#sent === undefined;
  }

  /** Whether the store must hear of it now and then, lest it takes what is under way for a dead replica's. */
  get isUnderWay(): boolean {
    return this.calls > 0 || this.held > 0;
  }

  /** Books costs and tokens (which may be negative) when the store is told next. */
  book(nanoUsd: number, tokens: number): void {
    this.#unsent.nanoUsd += nanoUsd;
    this.#unsent.tokens += tokens;
  }

  /** Returns what the store is told. What was sent before without an answer is sent again, as the same booking. */
  told(): string {
    if (this.#sent === undefined && (this.#unsent.nanoUsd !== 0 || this.#unsent.tokens !== 0)) {
      this.#number += 1;
      this.#sent = this.#unsent;
      this.#unsent = { nanoUsd: 0, tokens: 0 };
    }
    const { nanoUsd = 0, tokens = 0 } = this.#sent ?? {};
    const { day, month } = this.#seen;
    const seen = `${day.endDay} ${day.nanoUsd} ${month.endDay} ${month.nanoUsd}`;
    return `${this.calls} ${this.held} ${this.#number} ${nanoUsd} ${tokens} ${seen} ${this.#bounds}`;
  }

  /** Takes over that the store has booked what it was told, and knows these sums; the days are those with which the periods end. */
  answered(sums: Readonly<Record<BudgetPeriod, { readonly endDay: number; readonly nanoUsd: number }>>): void {
    this.#sent = undefined;
    if (this.#unsent.nanoUsd !== 0 || this.#unsent.tokens !== 0) this.isDirty = true;
    for (const per of PERIODS) {
      const seen = this.#seen[per];
      const { endDay, nanoUsd } = sums[per];
      if (endDay < seen.endDay || (endDay === seen.endDay && nanoUsd <= seen.nanoUsd)) continue;
      seen.endDay = endDay;
      seen.nanoUsd = nanoUsd;
    }
  }

  /** Returns what is known to be spent of a period on a day since 1970, in nano-USD: the store's sum, and what it was not yet told. */
  spent(per: BudgetPeriod, day: number): number {
    const seen = this.#seen[per];
    return (day < seen.endDay ? seen.nanoUsd : 0) + this.#unsent.nanoUsd + (this.#sent?.nanoUsd ?? 0);
  }
}

/** Returns the budget of a period that is used up first. */
export function leastBudget(account: CallerAccount, per: BudgetPeriod): CallerBudget | undefined {
  let least: CallerBudget | undefined;
  for (const budget of account.budgets) {
    if (budget.per === per && (least === undefined || budget.nanoUsd < least.nanoUsd)) least = budget;
  }
  return least;
}
