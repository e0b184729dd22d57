/** How a {@link RetryBudget} fills: one unit is one repeat. */
export interface BudgetRates {
  /** Up to so many units fill it; it begins with as many. */
  readonly capacity: number;
  /** Units for each first visit of a request to the target. */
  readonly perVisit: number;
  /** Units for each second. */
  readonly perSecond: number;
}

/** Rates for repeats on a target: retries and visits in later rounds (engine rule R1). */
export const REPEAT_RATES: BudgetRates = { capacity: 10, perVisit: 0.2, perSecond: 0.5 };

/** Rates for restarts of streams that broke off on a target, besides those that end well elsewhere (engine rule R2). */
export const RESTART_RATES: BudgetRates = { capacity: 5, perVisit: 0.05, perSecond: 0 };

/** What a restart gives back that another target has completed: its own unit, and one for the next; up to so many (engine rule R2). */
const GIVEN_BACK = 2;
const MOST_BY_GIVING_BACK = 20;

/** Parts of a unit that are counted, so that sums of tenths and twentieths stay exact. */
const PARTS = 1_000;

/**
 * Bounds what a gateway adds to the load of a sick target: a bucket that fills with its ordinary use. In any interval at most
 * `capacity + perVisit · visits + perSecond · seconds` units are taken, and what is given back.
 */
export class RetryBudget {
  readonly #now: () => number;
  readonly #rates: BudgetRates;
  #parts: number;
  #filledAtMs: number;

  /** @param now monotonic milliseconds */
  constructor(now: () => number, rates: BudgetRates) {
    this.#now = now;
    this.#rates = rates;
    this.#parts = rates.capacity * PARTS;
    this.#filledAtMs = now();
  }

  /** Whether no repeat may be made now. */
  get isEmpty(): boolean {
    this.#fill();
    return this.#parts < PARTS;
  }

  /** Notes the first visit of a request to the target. */
  visited(): void {
    this.#fill();
    this.#add(this.#rates.perVisit * PARTS);
  }

  /** Takes one unit; false where there is none. */
  take(): boolean {
    if (this.isEmpty) return false;
    this.#parts -= PARTS;
    return true;
  }

  /** Notes that what a unit was taken for has helped. */
  giveBack(): void {
    this.#fill();
    this.#add(GIVEN_BACK * PARTS, MOST_BY_GIVING_BACK);
  }

  #fill(): void {
    const nowMs = this.#now();
    this.#add(((nowMs - this.#filledAtMs) * this.#rates.perSecond * PARTS) / 1_000);
    this.#filledAtMs = nowMs;
  }

  #add(parts: number, mostUnits = this.#rates.capacity): void {
    this.#parts = Math.max(this.#parts, Math.min(mostUnits * PARTS, this.#parts + parts));
  }
}
