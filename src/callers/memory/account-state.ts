import type { AccountLimits, BudgetPeriod, CallerAccount, CallerBudget } from '../port/caller.ts';
import { RateMeter } from './rate-meter.ts';
import { SpentBudget } from './spent-budget.ts';

/** A limit that holds a call back, and for how long; Infinity: for ever, undefined: nobody knows. */
export interface ReachedLimit {
  readonly limit: keyof AccountLimits;
  readonly waitMs: number | undefined;
}

/** What one account has done and spent. Limits and budgets come with each question: they may change, what was counted stays. */
export class AccountState {
  readonly #requests = new RateMeter();
  readonly #tokens = new RateMeter();
  readonly #budgets = new Map<BudgetPeriod, SpentBudget>();
  #calls = 0;

  /** Returns the limit that a call of so many tokens has to wait for longest; undefined where it may begin now. */
  reached({ limits }: CallerAccount, tokens: number, nowMs: number): ReachedLimit | undefined {
    const { requestsPerMinute, tokensPerMinute, concurrentCalls } = limits;
    let found: ReachedLimit | undefined;
    if (concurrentCalls !== undefined && this.#calls >= concurrentCalls) {
      found = { limit: 'concurrentCalls', waitMs: undefined };
    }
    const requestMs = requestsPerMinute === undefined ? 0 : this.#requests.waitMs(1, requestsPerMinute, nowMs);
    if (requestMs > 0) found = { limit: 'requestsPerMinute', waitMs: requestMs };
    const tokenMs = tokensPerMinute === undefined ? 0 : this.#tokens.waitMs(tokens, tokensPerMinute, nowMs);
    if (tokenMs > requestMs) found = { limit: 'tokensPerMinute', waitMs: tokenMs };
    return found;
  }

  /** Counts a call that begins. */
  enter({ limits: { requestsPerMinute, tokensPerMinute } }: CallerAccount, tokens: number, nowMs: number): void {
    this.#calls++;
    if (requestsPerMinute !== undefined) this.#requests.use(1, requestsPerMinute, nowMs);
    if (tokensPerMinute !== undefined) this.#tokens.use(tokens, tokensPerMinute, nowMs);
  }

  /**
   * Counts a call no more, but for the tokens that it took beyond those that it was let in with.
   *
   * @param nowMs may be 0 where `moreTokens` is not above 0: what comes back does so at any time
   */
  leave({ limits: { tokensPerMinute } }: CallerAccount, moreTokens: number, nowMs: number): void {
    this.#calls--;
    if (tokensPerMinute !== undefined) this.#tokens.use(moreTokens, tokensPerMinute, nowMs);
  }

  /** Returns what is counted of a budget. */
  budget({ per }: CallerBudget, wallMs: number): SpentBudget {
    const known = this.#budgets.get(per);
    if (known !== undefined) return known;
    const made = new SpentBudget(per, wallMs);
    this.#budgets.set(per, made);
    return made;
  }

  /** Whether a call is under way, or something reserved. */
  get isBusy(): boolean {
    return this.#calls > 0 || [...this.#budgets.values()].some((budget) => budget.hasReservations);
  }

  /** Whether nothing would be lost if it were forgotten. */
  isUntouched(nowMs: number, wallMs: number): boolean {
    if (this.#calls > 0 || !this.#requests.isEmpty(nowMs) || !this.#tokens.isEmpty(nowMs)) return false;
    return [...this.#budgets.values()].every((budget) => budget.isUntouched(wallMs));
  }
}
