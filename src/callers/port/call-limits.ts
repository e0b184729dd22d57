import type { ClaimAnswer } from '../../core/ports.ts';
import type { CostBounds } from '../../core/money.ts';
import type { Failure } from '../../core/failure.ts';
import type { Caller } from './caller.ts';

/** How many tokens a call may take. */
export interface CallSize {
  /** Of the prompt, as estimated. */
  readonly promptTokens: number;
  /** The longest answer that the request allows; absent where it does not say. */
  readonly answerTokens?: number | undefined;
}

/** Holds calls to what their callers may do and spend. */
export interface CallLimits {
  /**
   * Lets a call begin, or says why not: CALLER_RATE_LIMITED or LIMITS_UNAVAILABLE. Undefined: nothing of this caller is counted. A
   * promise where the store is another process; it never rejects.
   *
   * @param bounds tells what the first attempt may cost, where that is known: another process is asked for its leave at the same time
   */
  enter(
    caller: Caller,
    size: CallSize,
    bounds?: () => CostBounds | undefined,
  ): CallTicket | Failure | undefined | Promise<CallTicket | Failure>;
}

/** A call that was let in. Of its attempts one is under way at a time. */
export interface CallTicket {
  /** Whether what it spends is bounded. */
  readonly hasBudget: boolean;
  /**
   * Reserves what the next attempt may cost. A failure is of class `budget`: BUDGET_EXHAUSTED, LIMITS_UNAVAILABLE, or, where other
   * calls hold what is left for too long, CALLER_RATE_LIMITED.
   *
   * @param remainingMs how long the call may wait for it, in milliseconds
   */
  claim(bounds: CostBounds, remainingMs: number): ClaimAnswer;
  /**
   * Hears how long the answer of the attempt under way is about to become, where the request does not bound it, and reserves more where what is
   * reserved does not cover it. Costs next to nothing where it does.
   *
   * @param answerTokens from the beginning of the answer
   * @param refused told, once and maybe later, why it may not go on: BUDGET_EXHAUSTED, of class `budget`
   */
  grown(answerTokens: number, refused: (failure: Failure) => void): void;
  /** Gives back what was reserved for an attempt that was not made. */
  giveBack(): void;
  /** Books what the attempt has cost in nano-USD; undefined: unknown, so that all that was reserved for it is booked. */
  settle(costNanoUsd: bigint | undefined): void;
  /**
   * Notes that the call has ended; what is still reserved is booked. Only the first time counts.
   *
   * @param usedTokens what it really took; undefined: unknown, so that the estimate stays
   */
  leave(usedTokens: number | undefined): void;
}
