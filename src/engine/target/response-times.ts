import type { AttemptTiming } from '../port/call.ts';
import { LatencyHistogram } from './statistics/latency-histogram.ts';

/** From so many samples on, statistics replace the configured first-output limit (engine, "Timers"). */
const MIN_SAMPLES = 20;
const LIMIT_FACTOR = 4;
const MIN_LIMIT_MS = 10_000;
const MAX_LIMIT_MS = 120_000;
const LAST_TARGET_MS = 30_000;
/** Silence is the provider's fault from this many times the usual on, and never before so many milliseconds (engine rule X1). */
const BLAME_FACTOR = 3;
const MIN_BLAME_MS = 5_000;

/** How long one target takes to begin, or, where it does not stream, to finish an answer of one model. */
export class ResponseTimes {
  readonly #now: () => number;
  readonly #streamed = new LatencyHistogram();
  readonly #whole = new LatencyHistogram();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Notes the time to the first output of a stream, or to the end of a whole answer, in milliseconds. */
  add(streams: boolean, ms: number): void {
    (streams ? this.#streamed : this.#whole).add(ms, this.#now());
  }

  /** Returns the 95th percentile in milliseconds, or undefined without data. */
  p95Ms(streams: boolean): number | undefined {
    return (streams ? this.#streamed : this.#whole).percentileMs(0.95, this.#now());
  }

  /**
   * Returns how long an attempt may take to its first output, or to its end where it does not stream, in milliseconds.
   * @param isLast whether no other target is available
   * @param coldMs the limit where nothing is known of the target
   */
  limitMs(timing: AttemptTiming, isLast: boolean, coldMs = timing.firstOutputMs): number {
    const p95 = this.#streamed.percentileMs(0.95, this.#now());
    const adapts = timing.firstOutputAdapts && p95 !== undefined && this.#streamed.count(this.#now()) >= MIN_SAMPLES;
    const usualMs = adapts ? clamp(LIMIT_FACTOR * p95, MIN_LIMIT_MS, MAX_LIMIT_MS) : coldMs;
    const firstOutputMs = isLast && timing.firstOutputAdapts ? Math.max(usualMs, LAST_TARGET_MS) : usualMs;
    return firstOutputMs + timing.promptMs + (timing.streams ? 0 : timing.answerMs);
  }

  /** Returns from how much silence on the provider is to blame, in milliseconds; never more than `limitMs` (engine rule X1). */
  blameAfterMs(timing: AttemptTiming, limitMs: number): number {
    const p95 = this.p95Ms(timing.streams);
    return p95 === undefined ? limitMs : Math.min(limitMs, Math.max(MIN_BLAME_MS, BLAME_FACTOR * p95));
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
