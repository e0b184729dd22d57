import type { AttemptLimits } from '../attempt/time-limits.ts';
import type { AttemptTiming } from '../port/attempt-timing.ts';
import type { ChainEntry } from '../port/call.ts';
import { sliceMs, TARGETS_KEPT_IN_MIND } from './time/slices.ts';
import type { Request } from './request.ts';

/** The limits of an attempt, and from when on its silence is suspicious, in milliseconds (engine rule X1). */
export interface VisitLimits extends AttemptLimits {
  readonly suspectAfterMs: number;
  /** How many times as long as usual the learnt limit is (engine rule X6); undefined where nothing is known. */
  readonly trial: number | undefined;
}

/** One turn of an entry: its time, and the repeats made in it. */
export class Visit<Output, Final> {
  readonly entry: ChainEntry;
  /** The entries whose turns come after this one in the same round. */
  readonly later: readonly ChainEntry[];
  readonly #request: Request<Output, Final>;
  /** Reckoned when first asked for: what the next targets need depends on how large the request is. */
  #endsAtMs: number | undefined;
  /** Repeats made, replacements of stale sockets not among them. */
  repeats = 0;
  staleSocketReplaced = false;
  /** How many times the request was written anew. */
  rewrites = 0;

  constructor(request: Request<Output, Final>, entry: ChainEntry, later: readonly ChainEntry[]) {
    this.entry = entry;
    this.later = later;
    this.#request = request;
  }

  /**
   * Returns how long an attempt may wait for its first output, in milliseconds: all that remains where no later target is
   * available, otherwise what the visit still has of its slice (engine rule B1).
   */
  get sliceMs(): number {
    return this.#sliceMs(this.#next());
  }

  /** Returns the limits of an attempt that is made now. */
  limits(timing: AttemptTiming): VisitLimits {
    const { context, time } = this.#request;
    const { times } = context.stateOf(this.entry).circuits.of(this.entry);
    const next = this.#next();
    const silence = times.limits(timing, next.length === 0);
    return {
      sliceMs: this.#sliceMs(next),
      ...silence,
      progressMs: timing.progressMs,
      clientStallMs: context.config.clientStallMs,
      deadlineAtMs: time.deadlineAtMs,
    };
  }

  /** @param next the later targets for which time is kept back */
  #sliceMs(next: readonly ChainEntry[]): number {
    const { chain, context, time } = this.#request;
    const now = context.runtime.now();
    this.#endsAtMs ??=
      now +
      sliceMs(
        time.remainingMs,
        next.map((entry) => chain.needMs(entry)),
        time.minAttemptMs,
      );
    return next.length > 0 ? Math.min(this.#endsAtMs - now, time.remainingMs) : time.remainingMs;
  }

  /**
   * Returns the next targets that are available. Nothing is kept back for whom the request could not visit again: what is later tried
   * a second time is a repeat.
   */
  #next(): readonly ChainEntry[] {
    const { allowance, chain } = this.#request;
    const isRepeat = chain.failureOf(this.entry) !== undefined;
    return chain.first(
      TARGETS_KEPT_IN_MIND,
      this.later,
      (later) => chain.failureOf(later) === undefined || allowance.mayRepeatLater(later, isRepeat),
    );
  }
}
