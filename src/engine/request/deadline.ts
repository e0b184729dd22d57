import type { EngineConfig } from '../port/config.ts';

/** Kept back from the caller's budget for the way home: at most so much, and at most this share (engine rule A1). */
const RESERVE_MS = 50;
const RESERVE_SHARE = 0.05;
/** A budget below this is refused without a call (engine rule A1). */
const MIN_BUDGET_MS = 10;
/** Time that a later target is thought to need, in milliseconds (engine rule B1). */
const NEED_WITHOUT_DATA_MS = 10_000;
const MIN_NEED_MS = 2_000;
const MAX_NEED_MS = 15_000;
const NEED_FACTOR = 1.5;
/** How many of the later targets have time kept back for them. */
const TARGETS_KEPT_IN_MIND = 2;

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
  const totalMs = allowedMs - Math.min(RESERVE_MS, allowedMs * RESERVE_SHARE);
  return {
    totalMs,
    isClamped: timeoutMs !== undefined && wishedMs > config.maxTimeoutMs,
    isTooShort: allowedMs < MIN_BUDGET_MS,
    minAttemptMs: Math.min(1_000, totalMs / 4),
  };
}

/** Returns the time to keep back for a target, given the 95th percentile of its answers, all in milliseconds (engine rule B1). */
export function needMs(p95Ms: number | undefined): number {
  if (p95Ms === undefined) return NEED_WITHOUT_DATA_MS;
  return Math.min(Math.max(NEED_FACTOR * p95Ms, MIN_NEED_MS), MAX_NEED_MS);
}

/**
 * Returns how long an attempt may wait for its first output, in milliseconds: everything for the last available target,
 * otherwise what remains after the next two have been thought of, but at least half (engine rule B1).
 */
export function sliceMs(remainingMs: number, laterNeedsMs: readonly number[], minAttemptMs: number): number {
  if (laterNeedsMs.length === 0) return remainingMs;
  const keptMs = laterNeedsMs.slice(0, TARGETS_KEPT_IN_MIND).reduce((sum, need) => sum + need, 0);
  return Math.min(remainingMs, Math.max(minAttemptMs, remainingMs / 2, remainingMs - keptMs));
}
