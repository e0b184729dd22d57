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
    this.#put(kind, this.#bucket, 1);
  }

  /** Returns how many events of a kind each part of the window holds, and its age in milliseconds at `nowMs`; empty parts are left out. */
  ages(kind: Kind, nowMs: number): { readonly events: number; readonly ageMs: number }[] {
    this.#expire(nowMs);
    return Array.from({ length: BUCKETS }, (_, age) => ({
      events: this.#counts[this.#indexOf(kind, this.#bucket - age)] ?? 0,
      ageMs: age * this.#bucketMs,
    })).filter(({ events }) => events > 0);
  }

  /** Counts events that were `ageMs` old at `nowMs`; those that the window has left behind are passed over. */
  addAged(kind: Kind, nowMs: number, { events, ageMs }: { readonly events: number; readonly ageMs: number }): void {
    this.#expire(nowMs);
    const age = Math.round(ageMs / this.#bucketMs);
    if (age >= 0 && age < BUCKETS) this.#put(kind, this.#bucket - age, events);
  }

  #put(kind: Kind, bucket: number, events: number): void {
    const index = this.#indexOf(kind, bucket);
    const column = this.#kinds.indexOf(kind);
    this.#counts[index] = (this.#counts[index] ?? 0) + events;
    this.#totals[column] = (this.#totals[column] ?? 0) + events;
  }

  /** The clock may begin at any number, below 0 too once ages are taken off. */
  #indexOf(kind: Kind, bucket: number): number {
    const row = ((bucket % BUCKETS) + BUCKETS) % BUCKETS;
    return row * this.#kinds.length + this.#kinds.indexOf(kind);
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
      for (let old = this.#bucket + 1; old <= bucket; old++) this.#clearBucket(old);
    }
    this.#bucket = bucket;
  }

  #clearBucket(bucket: number): void {
    for (const [column, kind] of this.#kinds.entries()) {
      const index = this.#indexOf(kind, bucket);
      this.#totals[column] = (this.#totals[column] ?? 0) - (this.#counts[index] ?? 0);
      this.#counts[index] = 0;
    }
  }
}
