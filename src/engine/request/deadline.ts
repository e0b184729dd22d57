import type { Runtime } from '../../core/ports.ts';
import type { EngineConfig } from '../port/config.ts';

/** Kept back from the caller's budget for the way home, in milliseconds, and at most as this share of it (engine rule A1). */
const WAY_HOME_MS = 50;
const MOST_RESERVE_SHARE = 0.05;
/** By this share at most gRPC's C core tells servers a longer deadline than its own, in steps that grow tenfold with it. */
const ROUNDING_SHARE = 0.01;
/** Up to so many milliseconds its step is a second, above ten; then most that is kept back, either way. */
const LONG_BUDGET_MS = 1_000_000;
const MOST_RESERVE_MS = 1_100;
const MOST_LONG_RESERVE_MS = 10_100;
/** A budget below this is refused without a call (engine rule A1). */
const MIN_BUDGET_MS = 10;
/** A real timer may fire up to so many milliseconds early: what is left of the time then is none. */
const TIMER_SLACK_MS = 1;

/** The time that a request has. */
export interface Budget {
  /** Milliseconds until the request must have ended. */
  readonly totalMs: number;
  /** Whether the caller asked for more than is allowed. */
  readonly isClamped: boolean;
  /** Whether there is too little to begin at all. */
  readonly isTooShort: boolean;
  /** The least time that an attempt is worth beginning with, in milliseconds (engine rule B3). */
  readonly minAttemptMs: number;
}

/** Reckons the budget of a request from what its caller allows, in milliseconds (engine rules A1, B3). */
export function requestBudget(timeoutMs: number | undefined, config: EngineConfig): Budget {
  const wishedMs = timeoutMs ?? config.defaultTimeoutMs;
  const allowedMs = Math.min(wishedMs, config.maxTimeoutMs);
  const totalMs = allowedMs - reserveMs(allowedMs);
  return {
    totalMs,
    isClamped: timeoutMs !== undefined && wishedMs > config.maxTimeoutMs,
    isTooShort: allowedMs < MIN_BUDGET_MS,
    minAttemptMs: Math.min(1_000, totalMs / 4),
  };
}

/**
 * What is kept back so that the answer is with a caller before its own clock ends the call: a client of gRPC's C core (Python, Ruby,
 * PHP, C++) ends it by up to a hundredth earlier than it has told (`findings/grpc-core-timeout.sh`).
 */
function reserveMs(allowedMs: number): number {
  const mostMs = allowedMs <= LONG_BUDGET_MS ? MOST_RESERVE_MS : MOST_LONG_RESERVE_MS;
  return Math.min(WAY_HOME_MS + allowedMs * ROUNDING_SHARE, allowedMs * MOST_RESERVE_SHARE, mostMs);
}

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
