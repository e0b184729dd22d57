import type { CostBounds } from '../../core/money.ts';
import type { CallerAccount } from '../port/caller.ts';
import type { LimitStore, StoreAnswer, StoreRefusal } from '../port/limit-store.ts';

/**
 * Asks for what an attempt may cost. Where the request does not bound its answer, the most is a guess, and where that is more than is
 * left, half of it is asked for, and half of that: what is granted is more than half of what is left, so that one call at a time goes on.
 */
export class BudgetQuestion {
  readonly #store: LimitStore;
  readonly #accounts: readonly CallerAccount[];
  /** What the attempt may cost. */
  readonly bounds: CostBounds;
  /** What was asked for last, in nano-USD. */
  amount: bigint;

  constructor(store: LimitStore, accounts: readonly CallerAccount[], bounds: CostBounds) {
    this.#store = store;
    this.#accounts = accounts;
    this.bounds = bounds;
    this.amount = bounds.most;
  }

  /** Asks for the most again, and then for less. */
  put(): StoreAnswer {
    this.amount = this.bounds.most;
    for (;;) {
      const answer = this.#store.reserve(this.#accounts, this.amount);
      if (answer instanceof Promise) return this.#putOn(answer);
      if (answer?.kind !== 'exhausted') return answer;
      if (!this.#asksForLess()) return { ...answer, needed: this.amount };
    }
  }

  async #putOn(first: Promise<StoreRefusal | undefined>): Promise<StoreRefusal | undefined> {
    let answer = await first;
    while (answer?.kind === 'exhausted' && this.#asksForLess()) {
      answer = await this.#store.reserve(this.#accounts, this.amount);
    }
    return answer?.kind === 'exhausted' ? { ...answer, needed: this.amount } : answer;
  }

  #asksForLess(): boolean {
    const { least } = this.bounds;
    if (this.amount <= least) return false;
    this.amount = this.amount / 2n > least ? this.amount / 2n : least;
    return true;
  }
}
