import type { Failure } from '../../../src/core/failure.ts';

const MOST = 1_000;
const CUT_EVERY_MS = 1_000;
const FORGET_MS = 60_000;

/** How many attempts a target takes at a time (engine rule L1), with the calls under way and the times at which it was full. */
export class SlotsModel {
  #limit = MOST;
  #cutAtMs = Number.NEGATIVE_INFINITY;
  #complainedAtMs = Number.NEGATIVE_INFINITY;
  readonly #counts: { readonly atMs: number; readonly inFlight: number; readonly limit: number }[] = [];
  inFlight = 0;

  limit(nowMs: number): number {
    return nowMs - this.#complainedAtMs >= FORGET_MS ? MOST : this.#limit;
  }

  isFull(nowMs: number): boolean {
    return this.inFlight >= this.limit(nowMs);
  }

  /** Whether it was full at a moment, at its edges included. */
  wasFullAt(atMs: number): boolean {
    return this.#counts.some(({ atMs: fromMs, inFlight, limit }, index) => {
      const toMs = this.#counts[index + 1]?.atMs ?? Number.POSITIVE_INFINITY;
      return inFlight >= limit && fromMs <= atMs + 0.001 && atMs <= toMs + 0.001;
    });
  }

  /** Whether it has been full at any moment since. */
  wasFullSince(sinceMs: number): boolean {
    return this.#counts.some(
      ({ inFlight, limit }, index) =>
        inFlight >= limit && (this.#counts[index + 1]?.atMs ?? Number.POSITIVE_INFINITY) >= sinceMs,
    );
  }

  /** Forgets all complaints. */
  clear(nowMs: number): void {
    this.#limit = MOST;
    this.#cutAtMs = Number.NEGATIVE_INFINITY;
    this.#complainedAtMs = Number.NEGATIVE_INFINITY;
    this.#note(nowMs);
  }

  opened(nowMs: number): void {
    this.inFlight += 1;
    this.#note(nowMs);
  }

  /** @param isLetThrough whether an open circuit has let it through, so that it tells nothing of too many calls */
  ended(isSuccess: boolean, cause: Failure | undefined, nowMs: number, isLetThrough: boolean): void {
    if (isSuccess) {
      if (this.isFull(nowMs)) this.#limit = Math.min(MOST, this.limit(nowMs) + 1);
      else this.#limit = this.limit(nowMs);
    } else if (!isLetThrough && isComplaint(cause)) {
      this.#complained(nowMs);
    }
    this.inFlight -= 1;
    this.#note(nowMs);
  }

  #complained(nowMs: number): void {
    this.#limit = this.limit(nowMs);
    this.#complainedAtMs = nowMs;
    if (nowMs - this.#cutAtMs < CUT_EVERY_MS) return;
    this.#cutAtMs = nowMs;
    this.#limit = Math.min(this.#limit, Math.max(1, Math.floor(this.inFlight * 0.7)));
  }

  #note(atMs: number): void {
    this.#counts.push({ atMs, inFlight: this.inFlight, limit: this.limit(atMs) });
  }
}

function isComplaint(cause: Failure | undefined): boolean {
  return cause?.class === 'rate_limit' || cause?.httpStatus === 503 || cause?.httpStatus === 529;
}
