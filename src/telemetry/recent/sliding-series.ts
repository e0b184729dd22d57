const SLOTS = 60;

/** Counts events in sixty slots of equal length; what is older is forgotten. Bounded in size. */
export class SlidingSeries {
  readonly #slotMs: number;
  readonly #counts = new Uint32Array(SLOTS);
  #slot = -1;

  /** @param slotMs length of a slot in milliseconds */
  constructor(slotMs: number) {
    this.#slotMs = slotMs;
  }

  /** Counts one event at `nowMs`, on a clock that never goes back. */
  add(nowMs: number): void {
    this.#moveTo(nowMs);
    const index = this.#slot % SLOTS;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }

  /** Returns how many there are in the slots that have not been forgotten. */
  total(nowMs: number): number {
    this.#moveTo(nowMs);
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** Returns how many each slot has, the one under way last. */
  series(nowMs: number): readonly number[] {
    this.#moveTo(nowMs);
    return Array.from({ length: SLOTS }, (_, index) => this.#counts[(this.#slot + 1 + index) % SLOTS] ?? 0);
  }

  #moveTo(nowMs: number): void {
    const slot = Math.floor(nowMs / this.#slotMs);
    if (slot <= this.#slot) return;
    if (slot - this.#slot >= SLOTS) this.#counts.fill(0);
    else for (let next = this.#slot + 1; next <= slot; next++) this.#counts[next % SLOTS] = 0;
    this.#slot = slot;
  }
}
