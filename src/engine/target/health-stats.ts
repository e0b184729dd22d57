import type { FailureReason, Verdict } from '../../core/failure.ts';
import { LatencyHistogram } from './statistics/latency-histogram.ts';
import { SlidingCount } from './statistics/sliding-count.ts';

const SUCCESS_WINDOW_MS = 60_000;
/** Time constant of the moving average of latencies (engine rule L5). */
const AVERAGE_MS = 300_000;

/** How attempts on one target went (engine rule L5). Absent figures mean that there are no data. */
export class HealthStats {
  readonly #now: () => number;
  readonly #outcomes = new SlidingCount<Verdict>(SUCCESS_WINDOW_MS, ['success', 'failure', 'neutral']);
  readonly #latency = new LatencyHistogram();
  readonly #firstOutput = new LatencyHistogram();
  #weightedSumMs = 0;
  #weight = 0;
  #averagedAtMs = 0;
  inFlight = 0;
  requests = 0;
  failures = 0;
  tokensUsed = 0;
  lastError: FailureReason | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Notes the start of an attempt. */
  attemptStarted(): void {
    this.inFlight++;
    this.requests++;
  }

  /** Notes the end of an attempt. `tokens` are all that the provider counted. */
  attemptEnded(verdict: Verdict, durationMs: number, firstOutputMs: number | undefined, tokens: number): void {
    const now = this.#now();
    this.inFlight--;
    this.#outcomes.add(verdict, now);
    this.tokensUsed += tokens;
    if (verdict === 'failure') this.failures++;
    if (firstOutputMs !== undefined) this.#firstOutput.add(firstOutputMs, now);
    if (verdict !== 'success') return;
    this.#latency.add(durationMs, now);
    const kept = Math.exp((this.#averagedAtMs - now) / AVERAGE_MS);
    this.#weightedSumMs = this.#weightedSumMs * kept + durationMs;
    this.#weight = this.#weight * kept + 1;
    this.#averagedAtMs = now;
  }

  /** Returns successes among successes and failures of the last minute, 0 to 1. */
  successRate(): number | undefined {
    const now = this.#now();
    const successes = this.#outcomes.count('success', now);
    const all = successes + this.#outcomes.count('failure', now);
    return all === 0 ? undefined : successes / all;
  }

  /** Returns the average time of a successful attempt, in milliseconds; the last five minutes weigh most. */
  averageLatencyMs(): number | undefined {
    return this.#weight === 0 ? undefined : this.#weightedSumMs / this.#weight;
  }

  /** Returns a percentile of the time of successful attempts, in milliseconds. */
  latencyMs(share: number): number | undefined {
    return this.#latency.percentileMs(share, this.#now());
  }

  /** Returns a percentile of the time to the first output, in milliseconds. */
  firstOutputMs(share: number): number | undefined {
    return this.#firstOutput.percentileMs(share, this.#now());
  }
}
