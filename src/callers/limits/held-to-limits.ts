import type { Failure } from '../../core/failure.ts';
import type { Timers } from '../../core/ports.ts';
import type { CallLimits, CallSize, CallTicket } from '../port/call-limits.ts';
import type { Caller, CallerAccount } from '../port/caller.ts';
import type { LimitStore, StoreRefusal } from '../port/limit-store.ts';
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
    this.#context = { store, queue: new BudgetQueue(store), timers, credits: new Map() };
    this.#loadPrices = loadPrices;
  }

  enter(caller: Caller, size: CallSize): CallTicket | Failure | undefined | Promise<CallTicket | Failure> {
    if (caller.accounts.length === 0) return undefined;
    const counted = this.#counted.get(caller) ?? this.#count(caller);
    return this.#hasPrices || counted.budgeted.length === 0
      ? this.#enter(counted, size)
      : this.#enterFirst(counted, size);
  }

  async #enterFirst(counted: CountedAccounts, size: CallSize): Promise<CallTicket | Failure> {
    await this.#loadPrices();
    this.#hasPrices = true;
    return this.#enter(counted, size);
  }

  #enter(counted: CountedAccounts, size: CallSize): CallTicket | Failure | Promise<CallTicket | Failure> {
    const { limited } = counted;
    if (limited.length === 0) return new LetInCall(this.#context, counted, 0);
    const tokens = tokensOf(limited, size);
    const tooSmall = limited.find(({ limits }) => tokens > (limits.tokensPerMinute ?? Infinity));
    if (tooSmall !== undefined) return neverFits(tooSmall, tokens);
    const answer = this.#context.store.enter(limited, tokens);
    const made = (refusal: StoreRefusal | undefined): CallTicket | Failure =>
      refusal === undefined ? new LetInCall(this.#context, counted, tokens) : quotaFailure(refusal);
    return answer instanceof Promise ? answer.then(made) : made(answer);
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

/** An answer of unknown length is no reason to refuse a prompt that fits. */
function tokensOf(limited: readonly CallerAccount[], { promptTokens, answerTokens }: CallSize): number {
  if (answerTokens !== undefined) return promptTokens + answerTokens;
  const least = Math.min(...limited.map(({ limits }) => limits.tokensPerMinute ?? Infinity));
  return Math.max(promptTokens, Math.min(promptTokens + OPEN_ANSWER_TOKENS, least));
}
