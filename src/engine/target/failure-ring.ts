/** The times of the last few failures, oldest overwritten first (engine rule K1). Every operation takes constant time. */
export class FailureRing {
  readonly #times: number[];
  #next = 0;

  /** @param size how many failures are kept, at least 1 */
  constructor(size: number) {
    this.#times = Array.from({ length: size }, () => Number.NEGATIVE_INFINITY);
  }

  /** Notes a failure at `atMs`. Times do not go back. */
  push(atMs: number): void {
    this.#times[this.#next] = atMs;
    this.#next = (this.#next + 1) % this.#times.length;
  }

  /** Returns the time of the oldest failure kept, or -Infinity while there are fewer than `size`. */
  oldest(): number {
    return this.#times[this.#next] ?? Number.NEGATIVE_INFINITY;
  }

  /** Returns the time of the latest failure, or -Infinity where there is none. */
  latest(): number {
    return this.#times.at(this.#next - 1) ?? Number.NEGATIVE_INFINITY;
  }

  /** Returns the times that are kept, the oldest first. */
  times(): number[] {
    return [...this.#times.slice(this.#next), ...this.#times.slice(0, this.#next)].filter(Number.isFinite);
  }

  /** Forgets everything. */
  clear(): void {
    this.#times.fill(Number.NEGATIVE_INFINITY);
  }
}
