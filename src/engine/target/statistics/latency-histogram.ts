/** Four buckets to a doubling: a percentile is right to within a tenth. 1 ms to about 70 minutes. */
const BUCKETS_PER_DOUBLING = 4;
const BUCKETS = 22 * BUCKETS_PER_DOUBLING;
/** A sample is forgotten after one to two of these. */
const HALF_WINDOW_MS = 300_000;

/** A log histogram of durations over the last five to ten minutes (engine rule L5). Bounded in size. */
export class LatencyHistogram {
  #current = new Uint32Array(BUCKETS);
  #previous = new Uint32Array(BUCKETS);
  #currentCount = 0;
  #previousCount = 0;
  #window = Number.NEGATIVE_INFINITY;

  /** Notes a duration in milliseconds. */
  add(durationMs: number, nowMs: number): void {
    this.#rotate(nowMs);
    const index = Math.min(BUCKETS - 1, Math.floor(Math.log2(Math.max(1, durationMs)) * BUCKETS_PER_DOUBLING));
    this.#current[index] = (this.#current[index] ?? 0) + 1;
    this.#currentCount++;
  }

  /** Returns how many durations are remembered. */
  count(nowMs: number): number {
    this.#rotate(nowMs);
    return this.#currentCount + this.#previousCount;
  }

  /** Returns a percentile in milliseconds (`share` 0 to 1), or undefined without data. */
  percentileMs(share: number, nowMs: number): number | undefined {
    const count = this.count(nowMs);
    if (count === 0) return undefined;
    let left = Math.ceil(count * share);
    for (let index = 0; index < BUCKETS; index++) {
      left -= (this.#current[index] ?? 0) + (this.#previous[index] ?? 0);
      if (left <= 0) return 2 ** ((index + 0.5) / BUCKETS_PER_DOUBLING);
    }
    return undefined;
  }

  #rotate(nowMs: number): void {
    const window = Math.floor(nowMs / HALF_WINDOW_MS);
    if (window === this.#window) return;
    const isNext = window === this.#window + 1;
    const emptied = this.#previous.fill(0);
    this.#previous = isNext ? this.#current : new Uint32Array(BUCKETS);
    this.#previousCount = isNext ? this.#currentCount : 0;
    this.#current = emptied;
    this.#currentCount = 0;
    this.#window = window;
  }
}
