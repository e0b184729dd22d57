import type { Runtime } from '../../core/ports.ts';
import type { EngineConfig } from '../port/config.ts';
import type { Budget } from './deadline.ts';
import { requestBudget } from './deadline.ts';

/** A real timer may fire up to so many milliseconds early: what is left of the time then is none. */
const TIMER_SLACK_MS = 1;

/** The time of one request, from its admission to its deadline (engine rules A1, B3). */
export class RequestTime {
  readonly #runtime: Runtime;
  readonly #budget: Budget;
  /** When the request began, on the runtime's clock. */
  readonly startedAtMs: number;
  /** When it must have ended. */
  readonly deadlineAtMs: number;

  /** @param timeoutMs what the caller allows, in milliseconds; undefined for the default */
  constructor(runtime: Runtime, timeoutMs: number | undefined, config: EngineConfig) {
    this.#runtime = runtime;
    this.#budget = requestBudget(timeoutMs, config);
    this.startedAtMs = runtime.now();
    this.deadlineAtMs = this.startedAtMs + this.#budget.totalMs;
  }

  /** The least time that an attempt is worth beginning with, in milliseconds. */
  get minAttemptMs(): number {
    return this.#budget.minAttemptMs;
  }

  /** Whether the caller asked for more than is allowed. */
  get isClamped(): boolean {
    return this.#budget.isClamped;
  }

  get elapsedMs(): number {
    return this.#runtime.now() - this.startedAtMs;
  }

  /** Time until the deadline, in milliseconds. */
  get remainingMs(): number {
    return this.deadlineAtMs - this.#runtime.now();
  }

  /** Whether the deadline is reached, or the time was too short to begin with. */
  get isUp(): boolean {
    return this.#budget.isTooShort || this.remainingMs < TIMER_SLACK_MS;
  }
}
