import type { Failure } from '../../core/failure.ts';
import type { CostBounds } from '../../core/money.ts';
import type { Timers } from '../../core/ports.ts';
import type { CallLimits, CallSize, CallTicket } from '../port/call-limits.ts';
import type { Caller, CallerAccount } from '../port/caller.ts';
import type { Ahead, LimitStore, StoreRefusal } from '../port/limit-store.ts';
import { BudgetQueue } from './budget-queue.ts';
import { type CountedAccounts, LetInCall, type LetInContext } from './let-in-call.ts';
import { neverFits, quotaFailure } from './quota-failures.ts';

/** Tokens that an answer is taken to have at most where the request does not say. */
const OPEN_ANSWER_TOKENS = 1_024;

/** Holds the calls of this process to the limits and budgets of their callers, which a store counts. */
export class HeldToLimits implements CallLimits {
  readonly #context: LetInContext;
  readonly #counted = new WeakMap<Caller, CountedAccounts>();
  readonly #loadPrices: () => Promise<void>;
  #hasPrices = false;

  /** @param loadPrices loads what prices are known from, for the first call whose caller has a budget; never rejects. Default: nothing */
  constructor(store: LimitStore, timers: Timers, loadPrices: () => Promise<void> = () => Promise.resolve()) {
    this.#context = { store, queue: new BudgetQueue(store), timers, credits: new Set() };
    this.#loadPrices = loadPrices;
  }

  enter(
    caller: Caller,
    size: CallSize,
    bounds?: Bounds,
  ): CallTicket | Failure | undefined | Promise<CallTicket | Failure> {
    if (caller.accounts.length === 0) return undefined;
    const counted = this.#counted.get(caller) ?? this.#count(caller);
    return this.#hasPrices || counted.budgeted.length === 0
      ? this.#enter(counted, size, bounds)
      : this.#enterFirst(counted, size, bounds);
  }

  async #enterFirst(counted: CountedAccounts, size: CallSize, bounds?: Bounds): Promise<CallTicket | Failure> {
    await this.#loadPrices();
    this.#hasPrices = true;
    return this.#enter(counted, size, bounds);
  }

  #enter(
    counted: CountedAccounts,
    size: CallSize,
    bounds?: Bounds,
  ): CallTicket | Failure | Promise<CallTicket | Failure> {
    const { limited } = counted;
    if (limited.length === 0) return new LetInCall(this.#context, counted, 0);
    const tokens = tokensOf(limited, size);
    const tooSmall = limited.find(({ limits }) => tokens > (limits.tokensPerMinute ?? Infinity));
    if (tooSmall !== undefined) return neverFits(tooSmall, tokens);
    const { store } = this.#context;
    const ahead = store.isShared === true ? this.#askedAhead(counted, bounds) : undefined;
    const answer = store.enter(limited, tokens, ahead);
    if (answer instanceof Promise) return this.#enterShared(answer, counted, tokens, ahead);
    return answer === undefined ? new LetInCall(this.#context, counted, tokens) : quotaFailure(answer);
  }

  /** What is reserved for the first attempt before it is asked for, so that a call waits once; nothing where others wait for it. */
  #askedAhead({ budgeted }: CountedAccounts, bounds?: Bounds): Ahead | undefined {
    if (budgeted.length === 0 || this.#context.queue.lineOf(budgeted) !== undefined) return undefined;
    const nanoUsd = bounds?.()?.most ?? 0n;
    return nanoUsd === 0n ? undefined : { accounts: budgeted, nanoUsd, isGranted: false };
  }

  async #enterShared(
    answer: Promise<StoreRefusal | undefined>,
    counted: CountedAccounts,
    tokens: number,
    ahead: Ahead | undefined,
  ): Promise<CallTicket | Failure> {
    const refusal = await answer;
    if (refusal !== undefined) return quotaFailure(refusal);
    return new LetInCall(this.#context, counted, tokens, ahead?.isGranted === true ? ahead.nanoUsd : 0n);
  }

  #count(caller: Caller): CountedAccounts {
    const { accounts } = caller;
    const counted = {
      limited: accounts.filter(({ limits }) => Object.values(limits).some((limit) => limit !== undefined)),
      budgeted: accounts.filter(({ budgets }) => budgets.length > 0),
    };
    this.#counted.set(caller, counted);
    return counted;
  }
}

type Bounds = () => CostBounds | undefined;

/** An answer of unknown length is no reason to refuse a prompt that fits. */
function tokensOf(limited: readonly CallerAccount[], { promptTokens, answerTokens }: CallSize): number {
  if (answerTokens !== undefined) return promptTokens + answerTokens;
  const least = Math.min(...limited.map(({ limits }) => limits.tokensPerMinute ?? Infinity));
  return Math.max(promptTokens, Math.min(promptTokens + OPEN_ANSWER_TOKENS, least));
}
