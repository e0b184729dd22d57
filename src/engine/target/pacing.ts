import type { LimitDimension, LimitReading } from '../../core/ports.ts';
import type { Prepared, TokenEstimate } from '../port/call.ts';

/** A reading tells nothing any more after so many milliseconds (engine rule L2). */
const STALE_MS = 60_000;

/** What is known of one dimension of a limit. */
interface Bucket {
  readonly reading: LimitReading;
  readonly readAtMs: number;
  /** What we have sent since. */
  sent: number;
}

const COSTS = {
  requests: () => 1,
  tokens: ({ input, output }) => input + output,
  'input-tokens': ({ input }) => input,
  // Counted as they are written: how many are allowed does not matter before the first.
  'output-tokens': () => 1,
} as const satisfies Record<LimitDimension, (estimate: TokenEstimate) => number>;

/**
 * Predicts rate limits of one account from what its provider says in the headers of every answer, less what was sent since
 * (engine rule L2). Kept per model, since providers limit each by itself. Providers refill continuously: of 500 requests a
 * minute with 499 left, OpenAI names a reset in 120 ms. So what remains grows evenly until the reset, after which nothing is
 * held back.
 */
export class Pacing {
  readonly #now: () => number;
  readonly #models = new Map<string, Map<LimitDimension, Bucket>>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Takes what an answer says; it stands for all that was sent before. @param model key of the model; bounded by the caller */
  read(model: string, readings: readonly LimitReading[]): void {
    const buckets = this.#models.get(model) ?? new Map<LimitDimension, Bucket>();
    for (const reading of readings) buckets.set(reading.dimension, { reading, readAtMs: this.#now(), sent: 0 });
    this.#models.set(model, buckets);
  }

  /** Forgets what was read of a model. */
  forget(model: string): void {
    this.#models.delete(model);
  }

  /** Forgets what was read. */
  clear(): void {
    this.#models.clear();
  }

  /** Notes that a call was sent. */
  sent(model: string, estimate: TokenEstimate): void {
    for (const [dimension, bucket] of this.#models.get(model) ?? []) bucket.sent += COSTS[dimension](estimate);
  }

  /** Returns after how many milliseconds a call will probably fit; 0 where it does now, or where nobody knows. */
  waitMs(model: string, estimate: TokenEstimate): number {
    let waitMs = 0;
    for (const [dimension, bucket] of this.#models.get(model) ?? []) {
      waitMs = Math.max(waitMs, this.#waitMs(bucket, COSTS[dimension](estimate)));
    }
    return waitMs;
  }

  #waitMs({ reading, readAtMs, sent }: Bucket, cost: number): number {
    const { limit, remaining, resetInMs } = reading;
    const elapsedMs = this.#now() - readAtMs;
    const endsInMs = Math.min(resetInMs, STALE_MS) - elapsedMs;
    // What is larger than the whole limit is not a matter of time.
    if (endsInMs <= 0 || cost > limit || sent + cost <= remaining) return 0;
    const fitsInMs =
      remaining < limit ? ((sent + cost - remaining) / (limit - remaining)) * resetInMs - elapsedMs : endsInMs;
    return Math.max(0, Math.min(Math.ceil(fitsInMs), endsInMs));
  }
}

/** Makes an attempt tell its account what it sends and what the headers of its answer say. */
export function paced<Output, Final>(
  prepared: Pick<Prepared<Output, Final>, 'open' | 'tokens'>,
  pacing: Pacing,
  model: string,
): Pick<Prepared<Output, Final>, 'open'> {
  return {
    open: (sink) => {
      pacing.sent(model, prepared.tokens ?? NO_TOKENS);
      return prepared.open((event) => {
        if (event.type === 'headers' && event.limits !== undefined) pacing.read(model, event.limits);
        sink(event);
      });
    },
  };
}

/** The estimate where none was made: only the call itself counts. */
export const NO_TOKENS: TokenEstimate = { input: 0, output: 0 };
