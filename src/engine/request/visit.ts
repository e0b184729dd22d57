import type { AttemptLimits } from '../attempt/time-limits.ts';
import type { AttemptTiming, ChainEntry } from '../port/call.ts';
import { sliceMs } from './slices.ts';
import type { Request } from './request.ts';

/** One turn of an entry: its time, and the repeats made in it. */
export class Visit<Output, Final> {
  readonly entry: ChainEntry;
  /** The entries whose turns come after this one in the same round. */
  readonly later: readonly ChainEntry[];
  readonly #request: Request<Output, Final>;
  readonly #endsAtMs: number;
  /** Repeats made, replacements of stale sockets not among them. */
  repeats = 0;
  staleSocketReplaced = false;
  /** How many times the request was written anew. */
  rewrites = 0;

  constructor(request: Request<Output, Final>, entry: ChainEntry, later: readonly ChainEntry[]) {
    this.entry = entry;
    this.later = later;
    this.#request = request;
    const { context, time } = request;
    this.#endsAtMs = context.runtime.now() + sliceMs(time.remainingMs, this.#laterNeedsMs, time.minAttemptMs);
  }

  /**
   * Returns how long an attempt may wait for its first output, in milliseconds: all that remains where no later target is
   * available, otherwise what the visit still has of its slice (engine rule B1).
   */
  get sliceMs(): number {
    const { context, time } = this.#request;
    return this.#isLast ? time.remainingMs : Math.min(this.#endsAtMs - context.runtime.now(), time.remainingMs);
  }

  /** Returns the limits of an attempt that may wait `attemptMs` milliseconds for its first output. */
  limits(attemptMs: number, timing: AttemptTiming): AttemptLimits {
    const { context, time } = this.#request;
    const { times } = context.stateOf(this.entry).circuits.of(this.entry);
    const firstOutputMs = times.limitMs(timing, this.#isLast);
    return {
      sliceMs: attemptMs,
      firstOutputMs,
      noHeadMs: timing.noHeadMs === undefined ? firstOutputMs : times.limitMs(timing, this.#isLast, timing.noHeadMs),
      headAloneMs:
        timing.headAloneMs === undefined ? firstOutputMs : times.limitMs(timing, this.#isLast, timing.headAloneMs),
      blameAfterMs: times.blameAfterMs(timing, firstOutputMs),
      progressMs: timing.progressMs,
      clientStallMs: context.config.clientStallMs,
      deadlineAtMs: time.deadlineAtMs,
    };
  }

  get #isLast(): boolean {
    return this.#laterNeedsMs.length === 0;
  }

  /** Nothing is kept back for whom the request could not visit again: what is later tried a second time is a repeat. */
  get #laterNeedsMs(): number[] {
    const { allowance, chain } = this.#request;
    const isRepeat = chain.failureOf(this.entry) !== undefined;
    return chain.needsMs(
      this.later.filter((later) => chain.failureOf(later) === undefined || allowance.mayRepeatLater(later, isRepeat)),
    );
  }
}
