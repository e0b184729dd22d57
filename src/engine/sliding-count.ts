const BUCKETS = 60;

/**
 * Counts events of several kinds over the last window (engine rules K2, L5). It keeps sixtieths of the window, so that an event
 * is forgotten up to a sixtieth of it too early, never too late. Bounded in size.
 */
export class SlidingCount<Kind extends string> {
  readonly #bucketMs: number;
  readonly #kinds: readonly Kind[];
  readonly #counts: Float64Array;
  readonly #totals: Float64Array;
  #bucket = Number.NEGATIVE_INFINITY;

  /**
   * @param windowMs length of the window in milliseconds
   * @param kinds the kinds that are counted
   */
  constructor(windowMs: number, kinds: readonly Kind[]) {
    this.#bucketMs = windowMs / BUCKETS;
    this.#kinds = kinds;
    this.#counts = new Float64Array(BUCKETS * kinds.length);
    this.#totals = new Float64Array(kinds.length);
  }

  /** Counts one event of a kind at `nowMs`. */
  add(kind: Kind, nowMs: number): void {
    this.#expire(nowMs);
    const column = this.#kinds.indexOf(kind);
    const index = (this.#bucket % BUCKETS) * this.#kinds.length + column;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#totals[column] = (this.#totals[column] ?? 0) + 1;
  }

  /** Returns how many events of a kind lie in the window that ends at `nowMs`. */
  count(kind: Kind, nowMs: number): number {
    this.#expire(nowMs);
    return this.#totals[this.#kinds.indexOf(kind)] ?? 0;
  }

  #expire(nowMs: number): void {
    const bucket = Math.floor(nowMs / this.#bucketMs);
    if (bucket <= this.#bucket) return;
    if (bucket - this.#bucket >= BUCKETS) {
      this.#counts.fill(0);
      this.#totals.fill(0);
    } else {
      for (let old = this.#bucket + 1; old <= bucket; old++) this.#clearBucket(old % BUCKETS);
    }
    this.#bucket = bucket;
  }

  #clearBucket(row: number): void {
    for (let column = 0; column < this.#kinds.length; column++) {
      const index = row * this.#kinds.length + column;
      this.#totals[column] = (this.#totals[column] ?? 0) - (this.#counts[index] ?? 0);
      this.#counts[index] = 0;
    }
  }
}
