/** What a probe has of a half-open circuit, by identity: when it counts as lost (engine rule K7); never, once it has succeeded. */
export interface ProbePlace {
  readonly leaseEndsAtMs: number;
}

/**
 * The places for probes of one half-open circuit (engine rules K4, K6, K7). A place is taken until its probe ends neutral or is
 * lost; a probe that succeeds keeps it. All is linear in the number of places, 10 at most.
 */
export class ProbePlaces {
  readonly #count: number;
  readonly #singleUntilMs: number;
  #underWay: readonly ProbePlace[] = [];
  #succeeded: readonly ProbePlace[];

  /**
   * @param count how many there are
   * @param succeeded how many have their success already; one place at least is left to a probe that is still to come
   * @param singleUntilMs until when one probe at a time goes through, however many places there are (engine rule K4)
   */
  constructor(count: number, succeeded: number, singleUntilMs: number) {
    this.#count = count;
    this.#singleUntilMs = singleUntilMs;
    const length = Math.min(succeeded, count - 1);
    this.#succeeded = Array.from({ length }, () => ({ leaseEndsAtMs: Number.POSITIVE_INFINITY }));
  }

  /** How many probes have succeeded. */
  get successes(): number {
    return this.#succeeded.length;
  }

  /** Whether every place has its success, so that the circuit closes. */
  get isComplete(): boolean {
    return this.successes >= this.#count;
  }

  /**
   * Returns from when on a probe may go through: at once where a place is free, but of several places the second only when the
   * time for a single probe is over; otherwise when the first probe counts as lost.
   */
  freeAtMs(): number {
    const lost = this.#lost();
    if (lost !== undefined) return lost.leaseEndsAtMs;
    return this.#underWay.length === 0 ? Number.NEGATIVE_INFINITY : this.#singleUntilMs;
  }

  /** Takes a place: a free one or, where there is none, that of the probe that counts as lost first. */
  take(leaseEndsAtMs: number): ProbePlace {
    const place = { leaseEndsAtMs };
    const lost = this.#lost();
    this.#underWay = [...this.#underWay.filter((one) => one !== lost), place];
    return place;
  }

  /** Tells that a probe has succeeded; changes nothing where its place is lost, or has its success. */
  succeed(place: ProbePlace): void {
    if (!this.#underWay.includes(place)) return;
    this.leave(place);
    this.#succeeded = [...this.#succeeded, place];
  }

  /** Frees the place of a probe that has decided nothing; one that has its success stays. */
  leave(place: ProbePlace): void {
    this.#underWay = this.#underWay.filter((one) => one !== place);
  }

  /** Whether a probe still has its place. */
  has(place: ProbePlace): boolean {
    return this.#underWay.includes(place) || this.hasSuccess(place);
  }

  /** Whether a probe has succeeded. */
  hasSuccess(place: ProbePlace): boolean {
    return this.#succeeded.includes(place);
  }

  /** The probe under way that makes room where no place is free. */
  #lost(): ProbePlace | undefined {
    if (this.#underWay.length + this.successes < this.#count) return undefined;
    return this.#underWay.reduce((first, one) => (one.leaseEndsAtMs < first.leaseEndsAtMs ? one : first));
  }
}
