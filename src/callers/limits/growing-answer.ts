import type { Failure } from '../../core/failure.ts';
import type { OpenAnswer } from '../../core/money.ts';
import type { CallerAccount } from '../port/caller.ts';
import type { BudgetRefusal, LimitStore, StoreRefusal } from '../port/limit-store.ts';
import { answerTooLong } from './quota-failures.ts';

/** How far beyond what has come an answer is covered where twice as much as has come is refused, in tokens. */
const LEAST_MORE = 256;
/** Tokens to a price. */
const MILLION = 1_000_000n;

/** The accounts of which an answer goes on without cover, by their keys: one at a time. */
export type Credits = Set<string>;

/**
 * What is reserved for an answer whose request does not bound it, as it grows: twice what has come, or less where that is all that is
 * left. Where nothing is left, one answer of an account goes on without, since the last one of a budget may exceed it by its own error,
 * and the others are refused (ADR 27).
 */
export class GrowingAnswer {
  readonly #store: LimitStore;
  readonly #accounts: readonly CallerAccount[];
  readonly #price: bigint;
  readonly #credits: Credits;
  #coveredTokens: number;
  readonly #extra: bigint[] = [];
  #isAsking = false;
  #isOver = false;
  #creditOf: string | undefined;
  #last: BudgetRefusal | undefined;

  /**
   * @param accounts whose budgets are counted
   * @param missing how much less was granted than `open.tokens` may cost, in nano-USD
   */
  constructor(
    store: LimitStore,
    accounts: readonly CallerAccount[],
    open: OpenAnswer,
    missing: bigint,
    credits: Credits,
  ) {
    this.#store = store;
    this.#accounts = accounts;
    this.#price = open.price;
    this.#credits = credits;
    this.#coveredTokens = open.price === 0n ? Infinity : open.tokens - Number((missing * MILLION) / open.price);
  }

  /** Hears how many tokens have come; what is refused is told once. */
  grown(tokens: number, refused: (failure: Failure) => void): void {
    if (tokens <= this.#coveredTokens || this.#isAsking || this.#isOver) return;
    this.#isAsking = true;
    const twice = 2 * tokens - this.#coveredTokens;
    const less = tokens + LEAST_MORE - this.#coveredTokens;
    this.#ask(less < twice ? [twice, less] : [twice], tokens, refused);
  }

  /** Notes its end; returns what was reserved besides, each time, in nano-USD. */
  end(): readonly bigint[] {
    this.#isOver = true;
    if (this.#creditOf !== undefined) this.#credits.delete(this.#creditOf);
    return this.#extra;
  }

  /** Asks for so many tokens more, and then for less; last whether anything is left at all. */
  #ask([more, ...less]: readonly number[], tokens: number, refused: (failure: Failure) => void): void {
    const amount = more === undefined ? 1n : (BigInt(Math.ceil(more)) * this.#price) / MILLION + 1n;
    const answered = (refusal: StoreRefusal | undefined): void => {
      if (refusal === undefined && this.#isOver) this.#store.settle(this.#accounts, amount, 0n);
      else if (refusal === undefined) this.#extra.push(amount);
      if (this.#isOver) return;
      if (more === undefined) this.#goOn(refusal, refused);
      else if (refusal === undefined) this.#cover(this.#coveredTokens + more);
      // What is under way goes on while its store is gone.
      else if (refusal.kind === 'unavailable' || refusal.kind === 'limited') this.#cover(2 * tokens);
      else {
        this.#last = refusal;
        this.#ask(less, tokens, refused);
      }
    };
    const answer = this.#store.reserve(this.#accounts, amount);
    if (answer instanceof Promise) void answer.then(answered);
    else answered(answer);
  }

  #cover(tokens: number): void {
    this.#coveredTokens = tokens;
    this.#isAsking = false;
  }

  /** Goes on without cover, where something of the budget is not spent yet and no other answer does. */
  #goOn(refusal: StoreRefusal | undefined, refused: (failure: Failure) => void): void {
    const last = this.#last;
    if (last === undefined) return;
    const { key } = last.account;
    if (refusal?.kind === 'exhausted' || this.#credits.has(key)) {
      refused(answerTooLong(last));
      return;
    }
    this.#credits.add(key);
    this.#creditOf = key;
  }
}
