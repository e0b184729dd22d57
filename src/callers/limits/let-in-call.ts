import type { ClaimAnswer } from '../../core/ports.ts';
import type { CostBounds } from '../../core/money.ts';
import type { Failure } from '../../core/failure.ts';
import type { Timers } from '../../core/ports.ts';
import type { CallTicket } from '../port/call-limits.ts';
import type { CallerAccount } from '../port/caller.ts';
import type { LimitStore, StoreAnswer, StoreRefusal } from '../port/limit-store.ts';
import type { BudgetQueue } from './budget-queue.ts';
import { quotaFailure } from './quota-failures.ts';

/** How long a call waits for what others have reserved, in milliseconds. */
const MOST_WAIT_MS = 30_000;

/** The accounts of a caller by what is counted in them. */
export interface CountedAccounts {
  /** With a limit. */
  readonly limited: readonly CallerAccount[];
  /** With a budget. */
  readonly budgeted: readonly CallerAccount[];
}

/** What calls share. */
export interface LetInContext {
  readonly store: LimitStore;
  readonly queue: BudgetQueue;
  readonly timers: Timers;
}

const GIVEN_UP: Failure = { class: 'client_cancel', reason: 'CANCELLED', message: 'The call waits no longer.' };

/** A call that was let in: what is reserved for it is settled once, and its end is noted once, whatever it ends by. */
export class LetInCall implements CallTicket {
  readonly #context: LetInContext;
  readonly #accounts: CountedAccounts;
  readonly #tokens: number;
  #held: bigint | undefined;
  /** What is reserved before the first attempt has asked; 0: nothing. */
  #ahead: bigint;
  #hasLeft = false;

  /**
   * @param tokens with which it was let in
   * @param ahead what was reserved for its first attempt, in nano-USD
   */
  constructor(context: LetInContext, accounts: CountedAccounts, tokens: number, ahead = 0n) {
    this.#context = context;
    this.#accounts = accounts;
    this.#tokens = tokens;
    this.#ahead = ahead;
  }

  get hasBudget(): boolean {
    return this.#accounts.budgeted.length > 0;
  }

  claim(bounds: CostBounds, remainingMs: number): ClaimAnswer {
    const { queue } = this.#context;
    const { budgeted } = this.#accounts;
    if (budgeted.length === 0 || bounds.most === 0n) return undefined;
    if (this.#ahead >= bounds.most) {
      this.#held = this.#ahead;
      this.#ahead = 0n;
      return undefined;
    }
    this.#giveBackAhead();
    const ask = new Question(this.#context.store, budgeted, bounds);
    const line = queue.lineOf(budgeted);
    const answer = line === undefined ? ask.put() : undefined;
    if (line === undefined && !(answer instanceof Promise)) {
      if (answer?.kind === 'reserved') return this.#wait(ask, answer.account, remainingMs);
      if (answer !== undefined) return quotaFailure(answer);
      this.#held = ask.amount;
      return undefined;
    }
    return this.#wait(ask, line ?? answer, remainingMs);
  }

  giveBack(): void {
    this.settle(0n);
  }

  settle(costNanoUsd: bigint | undefined): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    this.#context.store.settle(this.#accounts.budgeted, held, costNanoUsd ?? held);
  }

  leave(usedTokens: number | undefined): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.settle(undefined);
    this.#giveBackAhead();
    const { limited } = this.#accounts;
    if (limited.length > 0) this.#context.store.leave(limited, this.#tokens, usedTokens ?? this.#tokens);
  }

  #giveBackAhead(): void {
    const ahead = this.#ahead;
    if (ahead === 0n) return;
    this.#ahead = 0n;
    this.#context.store.settle(this.#accounts.budgeted, ahead, 0n);
  }

  /** Waits for an answer that is on its way, or in the line of an account. */
  #wait(ask: Question, first: CallerAccount | StoreAnswer, remainingMs: number): ClaimAnswer {
    const { queue, store, timers } = this.#context;
    const { budgeted } = this.#accounts;
    const { promise, resolve } = Promise.withResolvers<Failure | undefined>();
    let last: StoreRefusal | undefined;
    const claim = {
      accounts: budgeted,
      isOver: false,
      ask: (): StoreAnswer => {
        const answer = ask.put();
        if (!(answer instanceof Promise)) last = answer;
        return answer;
      },
      decide: (failure: Failure | undefined): void => {
        if (claim.isOver) {
          // Nobody waits for it any more.
          if (failure === undefined) store.settle(budgeted, ask.amount, 0n);
          return;
        }
        claim.isOver = true;
        timers.clearTimer(timer);
        if (failure === undefined) this.#held = ask.amount;
        resolve(failure);
      },
    };
    const end = (failure: Failure): void => {
      if (claim.isOver) return;
      claim.decide(failure);
      queue.left(budgeted);
    };
    const timer = timers.setTimer(Math.min(MOST_WAIT_MS, Math.max(0, remainingMs)), () => {
      end(last === undefined ? tooLong(budgeted) : quotaFailure(last));
    });
    if (first instanceof Promise) {
      void first.then((answer) => {
        if (answer?.kind !== 'reserved' || claim.isOver) return claim.decide(answer && quotaFailure(answer));
        last = answer;
        queue.add(answer.account, claim);
      });
    } else if (first !== undefined && 'key' in first) {
      queue.add(first, claim);
    }
    return { decided: promise, cancel: () => end(GIVEN_UP) };
  }
}

/** What a waiting call is told that was never asked for: the others before it have taken all the time. */
function tooLong([account]: readonly CallerAccount[]): Failure {
  return {
    class: 'budget',
    reason: 'CALLER_RATE_LIMITED',
    message: `Other calls have reserved what is left of the budget of ${account?.key ?? 'the caller'}.`,
    retryAfterMs: 1_000,
  };
}

/**
 * Asks for what an attempt may cost. Where the request does not bound its answer, the most is a guess, and where that is more than is
 * left, half of it is asked for, and half of that: what is granted is more than half of what is left, so that one call at a time goes on.
 */
class Question {
  readonly #store: LimitStore;
  readonly #accounts: readonly CallerAccount[];
  readonly #bounds: CostBounds;
  /** What was asked for last, in nano-USD. */
  amount: bigint;

  constructor(store: LimitStore, accounts: readonly CallerAccount[], bounds: CostBounds) {
    this.#store = store;
    this.#accounts = accounts;
    this.#bounds = bounds;
    this.amount = bounds.most;
  }

  /** Asks for the most again, and then for less. */
  put(): StoreAnswer {
    this.amount = this.#bounds.most;
    for (;;) {
      const answer = this.#store.reserve(this.#accounts, this.amount);
      if (answer instanceof Promise) return this.#putOn(answer);
      if (answer?.kind !== 'exhausted' || !this.#asksForLess()) return answer;
    }
  }

  async #putOn(first: Promise<StoreRefusal | undefined>): Promise<StoreRefusal | undefined> {
    let answer = await first;
    while (answer?.kind === 'exhausted' && this.#asksForLess()) {
      answer = await this.#store.reserve(this.#accounts, this.amount);
    }
    return answer;
  }

  #asksForLess(): boolean {
    const { least } = this.#bounds;
    if (this.amount <= least) return false;
    this.amount = this.amount / 2n > least ? this.amount / 2n : least;
    return true;
  }
}
