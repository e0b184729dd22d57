import { SlidingSeries } from './sliding-series.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

/** Counts what has ended within the last minute and the last hour, and what of it has failed. */
export class TrafficCounts {
  readonly #seconds = new SlidingSeries(SECOND_MS);
  readonly #failedSeconds = new SlidingSeries(SECOND_MS);
  readonly #minutes = new SlidingSeries(MINUTE_MS);
  readonly #failedMinutes = new SlidingSeries(MINUTE_MS);

  /** Counts one that has ended at `nowMs`. */
  add(hasFailed: boolean, nowMs: number): void {
    this.#seconds.add(nowMs);
    this.#minutes.add(nowMs);
    if (!hasFailed) return;
    this.#failedSeconds.add(nowMs);
    this.#failedMinutes.add(nowMs);
  }

  /** How many there were within the last minute. */
  lastMinute(nowMs: number): { readonly lastMinute: number; readonly failedLastMinute: number } {
    return { lastMinute: this.#seconds.total(nowMs), failedLastMinute: this.#failedSeconds.total(nowMs) };
  }

  /** How many there were within the last hour. */
  lastHour(nowMs: number): { readonly lastHour: number; readonly failedLastHour: number } {
    return { lastHour: this.#minutes.total(nowMs), failedLastHour: this.#failedMinutes.total(nowMs) };
  }

  /** How many there were in each minute of the last hour, the one under way last. */
  minutes(nowMs: number): { readonly minutes: readonly number[]; readonly failedMinutes: readonly number[] } {
    return { minutes: this.#minutes.series(nowMs), failedMinutes: this.#failedMinutes.series(nowMs) };
  }
}
