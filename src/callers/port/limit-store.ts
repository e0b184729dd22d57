import type { CallerAccount, AccountLimits, CallerBudget } from './caller.ts';

/** Why a call, or an attempt, may not go on. */
export type StoreRefusal =
  /** A limit is reached; `retryAfterMs` is when there may be room again, undefined where that is not known. */
  | {
      readonly kind: 'limited';
      readonly account: CallerAccount;
      readonly limit: keyof AccountLimits;
      readonly retryAfterMs?: number | undefined;
    }
  /** What is spent leaves too little of a budget. */
  | {
      readonly kind: 'exhausted';
      readonly account: CallerAccount;
      readonly budget: CallerBudget;
      readonly renewsAtMs: number;
      /** What the call would have needed at least, in nano-USD, where that is known. */
      readonly needed?: bigint | undefined;
    }
  /** What is spent leaves enough, but other calls have reserved it: some of that will come back. */
  | {
      readonly kind: 'reserved';
      readonly account: CallerAccount;
      readonly budget: CallerBudget;
      readonly renewsAtMs: number;
    }
  /** The store does not answer, and is closed then. */
  | { readonly kind: 'unavailable' };

/** A refusal for a budget's sake. */
export type BudgetRefusal = Extract<StoreRefusal, { kind: 'exhausted' | 'reserved' }>;

/** What a store says: undefined is yes. A promise where another process is asked; it never rejects. */
export type StoreAnswer = StoreRefusal | undefined | Promise<StoreRefusal | undefined>;

/** What is reserved with the beginning of a call for its first attempt, where there is so much. */
export interface Ahead {
  readonly accounts: readonly CallerAccount[];
  readonly nanoUsd: bigint;
  /** Set before the answer is there. */
  isGranted: boolean;
}

/**
 * Counts what accounts do and spend. Each of its questions is about the accounts of one call, which are all of one family, and is
 * answered for all of them or for none.
 */
export interface LimitStore {
  /** Whether another process counts: all answers are promises then. Default false. */
  readonly isShared?: boolean;
  /**
   * Lets a call begin: counts a request, a call under way and its likely tokens.
   *
   * @param tokens of prompt and answer, as estimated
   * @param ahead what is asked for as well, if it may begin; of a shared store alone
   */
  enter(accounts: readonly CallerAccount[], tokens: number, ahead?: Ahead): StoreAnswer;
  /**
   * Notes that a call that was let in has ended.
   *
   * @param tokens as in `enter`
   * @param usedTokens what it really took; refunds, or is charged beyond, `tokens`
   */
  leave(accounts: readonly CallerAccount[], tokens: number, usedTokens: number): void;
  /** Reserves what an attempt may cost at most, in nano-USD, in all budgets. */
  reserve(accounts: readonly CallerAccount[], nanoUsd: bigint): StoreAnswer;
  /** Gives a reservation back and books what the attempt has cost. Once for each that was granted. */
  settle(accounts: readonly CallerAccount[], reservedNanoUsd: bigint, costNanoUsd: bigint): void;
  /** Calls back when something was given back to these accounts by this process, or by others after a while; returns how to stop. */
  onReturn(accounts: readonly CallerAccount[], returned: () => void): () => void;
  /** Writes what is not yet written. */
  close(): Promise<void>;
}
