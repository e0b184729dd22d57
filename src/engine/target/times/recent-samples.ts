/** How many samples are kept at the most, and for how many to begin with there is room. */
const MOST_SAMPLES = 128;
const FIRST_ROOM = 16;
/** Older ones, in milliseconds, are forgotten. */
const MAX_AGE_MS = 600_000;

/**
 * The last 128 durations of the last ten minutes, with exact percentiles (engine, "Timers"). Adding one and asking for a percentile
 * take constant time, and at most 4 KiB.
 */
export class RecentSamples {
  /** Rings: when each sample came, how long it was, and how large what it was measured with. */
  #atMs = new Float64Array(FIRST_ROOM);
  #ms = new Float64Array(FIRST_ROOM);
  #sizes = new Float64Array(FIRST_ROOM);
  /** The durations in order. */
  #sorted = new Float64Array(FIRST_ROOM);
  #oldest = 0;
  #count = 0;
  #sizeSum = 0;

  /**
   * Notes a duration in milliseconds.
   * @param size of what it was measured with, a whole number
   */
  add(ms: number, size: number, nowMs: number): void {
    if (this.#count === MOST_SAMPLES) this.#forgetOldest();
    else if (this.#count === this.#ms.length) this.#grow();
    const place = (this.#oldest + this.#count) % this.#ms.length;
    this.#atMs[place] = nowMs;
    this.#ms[place] = ms;
    this.#sizes[place] = size;
    this.#sizeSum += size;
    const rank = this.#rankOf(ms);
    this.#sorted.copyWithin(rank + 1, rank, this.#count);
    this.#sorted[rank] = ms;
    this.#count++;
  }

  /** Returns how many are remembered. */
  count(nowMs: number): number {
    while (this.#count > 0 && nowMs - (this.#atMs[this.#oldest] ?? 0) >= MAX_AGE_MS) this.#forgetOldest();
    return this.#count;
  }

  /** Returns the duration at a share, 0 to 1, of those remembered, in milliseconds; NaN without any. Ask {@link count} before. */
  quantileMs(share: number): number {
    return this.#sorted[Math.max(0, Math.ceil(this.#count * share) - 1)] ?? Number.NaN;
  }

  /** The average size of what was measured; NaN without any. */
  get averageSize(): number {
    return this.#sizeSum / this.#count;
  }

  #forgetOldest(): void {
    const ms = this.#ms[this.#oldest] ?? 0;
    const rank = this.#rankOf(ms);
    this.#sorted.copyWithin(rank, rank + 1, this.#count);
    this.#sizeSum -= this.#sizes[this.#oldest] ?? 0;
    this.#oldest = (this.#oldest + 1) % this.#ms.length;
    this.#count--;
  }

  /** How many are shorter. */
  #rankOf(ms: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sorted[middle] ?? 0) < ms) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #grow(): void {
    this.#atMs = this.#unrolled(this.#atMs);
    this.#ms = this.#unrolled(this.#ms);
    this.#sizes = this.#unrolled(this.#sizes);
    const sorted = new Float64Array(2 * this.#sorted.length);
    sorted.set(this.#sorted);
    this.#sorted = sorted;
    this.#oldest = 0;
  }

  #unrolled(ring: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
    const larger = new Float64Array(2 * ring.length);
    larger.set(ring.subarray(this.#oldest));
    larger.set(ring.subarray(0, this.#oldest), ring.length - this.#oldest);
    return larger;
  }
}
