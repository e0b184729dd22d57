const MINUTE_MS = 60_000;

/**
 * Measures a rate by the generic cell rate algorithm (ITU-T I.371): what is used comes back evenly, and at most a whole minute's worth
 * is there at a time, so that who was quiet may use it at once. Two numbers, whatever the rate.
 */
export class RateMeter {
  /** When all that was used has come back, in monotonic milliseconds. */
  #emptyAtMs = 0;

  /** Returns after how many milliseconds so much more fits; 0 where it does now, Infinity where it never will. */
  waitMs(amount: number, perMinute: number, nowMs: number): number {
    if (amount > perMinute) return Infinity;
    const fitsAtMs = this.#emptyAtMs + (amount / perMinute) * MINUTE_MS - MINUTE_MS;
    // Sums of fractions are off by less than this.
    return fitsAtMs - nowMs < 1e-6 ? 0 : fitsAtMs - nowMs;
  }

  /** Notes that so much is used; less than nothing gives back. */
  use(amount: number, perMinute: number, nowMs: number): void {
    this.#emptyAtMs = Math.max(this.#emptyAtMs, nowMs) + (amount / perMinute) * MINUTE_MS;
  }

  /** Whether all that was used has come back. */
  isEmpty(nowMs: number): boolean {
    return this.#emptyAtMs <= nowMs;
  }
}
