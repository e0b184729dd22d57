import type { ClaimAnswer } from '../../core/ports.ts';
import type { CostBounds } from '../../core/money.ts';
import type { Failure } from '../../core/failure.ts';
import type { Timers } from '../../core/ports.ts';
import type { CallTicket } from '../port/call-limits.ts';
import type { CallerAccount } from '../port/caller.ts';
import type { LimitStore, StoreAnswer, StoreRefusal } from '../port/limit-store.ts';
import { BudgetQuestion } from './budget-question.ts';
import type { BudgetQueue } from './budget-queue.ts';
import { type Credits, GrowingAnswer } from './growing-answer.ts';
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
  readonly credits: Credits;
}

const GIVEN_UP: Failure = { class: 'client_cancel', reason: 'CANCELLED', message: 'The call waits no longer.' };

/** A call that was let in: what is reserved for it is settled once, and its end is noted once, whatever it ends by. */
export class LetInCall implements CallTicket {
  readonly #context: LetInContext;
  readonly #accounts: CountedAccounts;
  readonly #tokens: number;
  #held: bigint | undefined;
  #growing: GrowingAnswer | undefined;
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
    if (budgeted.length === 0) return undefined;
    const { most } = bounds;
    // Of a target that is far cheaper than the first one, the call must not keep from others what that one would have cost.
    if (this.#ahead >= most && this.#ahead <= 2n * most) {
      if (this.#ahead > 0n) this.#hold(this.#ahead, bounds);
      this.#ahead = 0n;
      return undefined;
    }
    this.#giveBackAhead();
    if (most === 0n) return undefined;
    const ask = new BudgetQuestion(this.#context.store, budgeted, bounds);
    const line = queue.lineOf(budgeted);
    const answer = line === undefined ? ask.put() : undefined;
    if (line === undefined && !(answer instanceof Promise)) {
      if (answer?.kind === 'reserved') return this.#wait(ask, answer.account, remainingMs);
      if (answer !== undefined) return quotaFailure(answer);
      this.#hold(ask.amount, bounds);
      return undefined;
    }
    return this.#wait(ask, line ?? answer, remainingMs);
  }

  grown(answerTokens: number, refused: (failure: Failure) => void): void {
    this.#growing?.grown(answerTokens, refused);
  }

  giveBack(): void {
    this.settle(0n);
  }

  settle(costNanoUsd: bigint | undefined): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    const extra = this.#growing?.end() ?? [];
    this.#growing = undefined;
    const { store } = this.#context;
    const { budgeted } = this.#accounts;
    const reserved = extra.reduce((sum, amount) => sum + amount, held);
    // Each as it was granted, the cost first: nobody is to be let in by what comes back and is spent.
    store.settle(budgeted, held, costNanoUsd ?? reserved);
    for (const amount of extra) store.settle(budgeted, amount, 0n);
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

  #hold(amount: bigint, { most, open }: CostBounds): void {
    this.#held = amount;
    const { store, credits } = this.#context;
    this.#growing = open && new GrowingAnswer(store, this.#accounts.budgeted, open, most - amount, credits);
  }

  /** Waits for an answer that is on its way, or in the line of an account. */
  #wait(ask: BudgetQuestion, first: CallerAccount | StoreAnswer, remainingMs: number): ClaimAnswer {
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
        if (failure === undefined) this.#hold(ask.amount, ask.bounds);
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
