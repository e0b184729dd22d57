import type { LimitReading } from '../../../src/core/ports.ts';

/** A reading tells nothing any more after so many milliseconds (engine rule L2). */
const STALE_MS = 60_000;
/** The engine reckons in whole milliseconds. */
const ROUNDING_MS = 1;

/** Until when calls are held back: for certain, and perhaps. */
interface Span {
  readonly fromMs: number;
  readonly leastMs: number;
  readonly mostMs: number;
}

const NEVER = { leastMs: Number.NEGATIVE_INFINITY, mostMs: Number.NEGATIVE_INFINITY };

/** What the headers of one model say about the number of calls, less those that were sent since (engine rule L2). */
export class PacingModel {
  readonly #spans: Span[] = [];
  #reading: (LimitReading & { readonly atMs: number }) | undefined;
  #sent = 0;

  read(reading: LimitReading, nowMs: number): void {
    this.#reading = { ...reading, atMs: nowMs };
    this.#sent = 0;
    this.#note(nowMs);
  }

  sent(nowMs: number): void {
    this.#sent += 1;
    this.#note(nowMs);
  }

  clear(nowMs: number): void {
    this.#reading = undefined;
    this.#note(nowMs);
  }

  get heldUntilMs(): number {
    return (this.#spans.at(-1) ?? NEVER).leastMs;
  }

  get mayHoldUntilMs(): number {
    return (this.#spans.at(-1) ?? NEVER).mostMs;
  }

  /** Whether calls may have been held back at a moment. */
  explains(atMs: number): boolean {
    return this.#spans.some(({ fromMs, mostMs }, index) => {
      const toMs = Math.min(mostMs, this.#spans[index + 1]?.fromMs ?? Number.POSITIVE_INFINITY);
      return fromMs <= atMs + 0.001 && atMs < toMs + 0.001;
    });
  }

  #note(fromMs: number): void {
    const untilMs = this.#untilMs();
    this.#spans.push({ fromMs, leastMs: untilMs - ROUNDING_MS, mostMs: untilMs + ROUNDING_MS });
  }

  /** When the next call fits: what is left grows evenly until the reset, after which nothing is held back. */
  #untilMs(): number {
    if (this.#reading === undefined) return Number.NEGATIVE_INFINITY;
    const { atMs, limit, remaining, resetInMs } = this.#reading;
    const lacking = this.#sent + 1 - remaining;
    if (lacking <= 0) return Number.NEGATIVE_INFINITY;
    const endMs = atMs + Math.min(resetInMs, STALE_MS);
    return limit === remaining ? endMs : Math.min(endMs, atMs + (lacking / (limit - remaining)) * resetInMs);
  }
}
