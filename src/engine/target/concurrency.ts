/** Attempts under way at one target, at the start and at most: more than anybody feels. */
const MOST = 1_000;
/** A complaint leaves this share of what is under way. */
const KEPT_SHARE = 0.7;
/** What complains within so many milliseconds of a cut belongs to the same crowd. */
const CUT_EVERY_MS = 1_000;
/** A limit is forgotten when the provider has not complained for so many milliseconds. */
const FORGET_MS = 60_000;

/**
 * How many attempts one target takes at a time, found out by its complaints: a rate limit or an overload cuts the limit to a
 * share of what is under way, a success at the limit raises it by one (AIMD, engine rule L1). What is under way is counted
 * elsewhere and told here; it may be above a limit that has just been cut.
 */
export class ConcurrencyLimit {
  readonly #now: () => number;
  #limit = MOST;
  #cutAtMs = Number.NEGATIVE_INFINITY;
  #complainedAtMs = Number.NEGATIVE_INFINITY;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Returns the limit, 1 to 1,000. */
  get limit(): number {
    if (this.#limit < MOST && this.#now() - this.#complainedAtMs >= FORGET_MS) this.#limit = MOST;
    return this.#limit;
  }

  /** Forgets all complaints. */
  clear(): void {
    this.#limit = MOST;
    this.#cutAtMs = Number.NEGATIVE_INFINITY;
    this.#complainedAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Whether no further attempt may start. */
  isFull(inFlight: number): boolean {
    return inFlight >= this.limit;
  }

  /** Notes a success. @param inFlight the attempts under way, the one that ends among them */
  succeeded(inFlight: number): void {
    const { limit } = this;
    if (inFlight >= limit) this.#limit = Math.min(MOST, limit + 1);
  }

  /** Notes a complaint of the provider. @param inFlight the attempts under way, the one that ends among them */
  complained(inFlight: number): void {
    const { limit } = this;
    const now = this.#now();
    this.#complainedAtMs = now;
    if (now - this.#cutAtMs < CUT_EVERY_MS) return;
    this.#cutAtMs = now;
    this.#limit = Math.min(limit, Math.max(1, Math.floor(inFlight * KEPT_SHARE)));
  }
}
