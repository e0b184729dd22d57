/** Time that a later target is thought to need, in milliseconds (engine rule B1). */
const NEED_WITHOUT_DATA_MS = 10_000;
const MIN_NEED_MS = 2_000;
const MAX_NEED_MS = 15_000;
const NEED_FACTOR = 1.5;
/** How many of the later targets have time kept back for them (engine rule B1). */
export const TARGETS_KEPT_IN_MIND = 2;

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
