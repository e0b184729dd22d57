/** A bucket as the rules describe it (R1, R2), for one target. */
export class BucketModel {
  readonly #capacity: number;
  readonly #perVisit: number;
  readonly #perSecond: number;
  #level: number;
  #atMs = 0;

  constructor(capacity: number, perVisit: number, perSecond: number) {
    this.#capacity = capacity;
    this.#perVisit = perVisit;
    this.#perSecond = perSecond;
    this.#level = capacity;
  }

  visited(nowMs: number): void {
    this.#fill(nowMs);
    if (this.#level < this.#capacity) this.#level = Math.min(this.#capacity, this.#level + this.#perVisit);
  }

  /** Takes one unit; false where there was none. */
  take(nowMs: number): boolean {
    this.#fill(nowMs);
    if (this.#level < 1 - 1e-6) return false;
    this.#level = Math.max(0, this.#level - 1);
    return true;
  }

  /** Puts back what was taken, and more. */
  giveBack(nowMs: number, units: number, most: number): void {
    this.#fill(nowMs);
    if (this.#level < most) this.#level = Math.min(most, this.#level + units);
  }

  #fill(nowMs: number): void {
    const filled = this.#level + ((nowMs - this.#atMs) / 1_000) * this.#perSecond;
    if (this.#level < this.#capacity) this.#level = Math.min(this.#capacity, filled);
    this.#atMs = nowMs;
  }
}
