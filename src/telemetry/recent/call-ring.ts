import type { RecentCall } from '../../server/port/shown/recent-history.ts';

/** The last calls, as many as there is room for. */
export class CallRing {
  readonly #size: number;
  readonly #calls: RecentCall[] = [];
  #next = 0;

  /** @param size how many are kept */
  constructor(size: number) {
    this.#size = size;
  }

  /** Takes a call in the place of the oldest. */
  add(call: RecentCall): void {
    this.#calls[this.#next] = call;
    this.#next = (this.#next + 1) % this.#size;
  }

  /** Passes over the calls, the last one first. */
  *newest(): Generator<RecentCall> {
    for (let age = 1; age <= this.#calls.length; age++) {
      const call = this.#calls[(this.#next - age + this.#size) % this.#size];
      if (call !== undefined) yield call;
    }
  }
}
