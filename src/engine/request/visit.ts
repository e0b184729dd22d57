import type { Failure } from '../../core/failure.ts';
import type { Runtime } from '../../core/ports.ts';
import type { Allowance } from './allowance.ts';
import type { AttemptLimits } from '../attempt/attempt.ts';
import type { AttemptTiming, ChainEntry, Prepared, Repair } from '../port/call.ts';
import type { Chain } from './chain.ts';
import { translated } from './chain.ts';
import type { Permit } from '../target/circuit-breaker.ts';
import { localRefusal } from '../port/failures.ts';
import type { EngineConfig } from '../port/config.ts';
import { sliceMs } from './deadline.ts';
import { paced } from '../target/pacing.ts';
import { leaseMs } from '../attempt/probe-output.ts';
import type { RequestTime } from './remaining-time.ts';
import type { SpoiledAnswer } from './spoiled-answer.ts';
import type { TargetState } from '../target/target-state.ts';

/** What visits of one request have in common. */
export interface VisitContext<Output, Final> {
  readonly runtime: Runtime;
  readonly config: EngineConfig;
  readonly time: RequestTime;
  readonly chain: Chain<Output, Final>;
  readonly stateOf: (entry: ChainEntry) => TargetState;
  readonly allowance: Allowance;
  /** Where an answer was thrown away because it broke off, the next one must have the time that it needs (engine rule U3). */
  readonly spoiled: Pick<SpoiledAnswer<Output, Final>, 'startsAfresh'>;
}

/** An attempt that may be made now. */
export interface Admission<Output, Final> {
  readonly prepared: Prepared<Output, Final>;
  readonly permit: Permit;
  readonly limits: AttemptLimits;
}

/** One turn of an entry: its time, and whether an attempt may be made in it. */
export class Visit<Output, Final> {
  readonly entry: ChainEntry;
  readonly #later: readonly ChainEntry[];
  readonly #context: VisitContext<Output, Final>;
  readonly #endsAtMs: number;
  /** Repeats made, replacements of stale sockets not among them. */
  repeats = 0;
  staleSocketReplaced = false;
  /** Whether an answer broke off in the middle. */
  brokeOff = false;

  /** @param later the entries whose turns come after this one in the same round */
  constructor(entry: ChainEntry, later: readonly ChainEntry[], context: VisitContext<Output, Final>) {
    this.entry = entry;
    this.#later = later;
    this.#context = context;
    const { runtime, time } = context;
    this.#endsAtMs = runtime.now() + sliceMs(time.remainingMs, this.#laterNeedsMs, time.minAttemptMs);
  }

  /**
   * Returns how long an attempt may wait for its first output, in milliseconds: all that remains where no later target is
   * available, otherwise what the visit still has of its slice (engine rule B1).
   */
  get sliceMs(): number {
    const { runtime, time } = this.#context;
    return this.#isLast ? time.remainingMs : Math.min(this.#endsAtMs - runtime.now(), time.remainingMs);
  }

  /**
   * Allows an attempt, or says why there is none. A permit must be used in the same turn (engine rule B4).
   * @param isFirst whether the request has made no attempt yet: then no time is too short (engine rule B3)
   * @param repair makes the attempt that mends the entry's last answer; undefined for the entry's own
   */
  admit(isFirst: boolean, repair?: Repair<Output, Final>): Admission<Output, Final> | Failure {
    const { chain, config, stateOf, time } = this.#context;
    const unavailable = chain.unavailable(this.entry);
    if (unavailable !== undefined) return refusal(unavailable.reason, unavailable.forMs);
    const attemptMs = this.sliceMs;
    if (!isFirst && (attemptMs < time.minAttemptMs || this.#lacksTime))
      return localRefusal('DEADLINE', 'No time was left for this target.');
    const prepared = repair === undefined ? chain.prepare(this.entry) : translated(repair);
    if (!('open' in prepared)) return prepared;
    const tooLarge = chain.unavailable(this.entry);
    if (tooLarge !== undefined) return refusal(tooLarge.reason, tooLarge.forMs);
    const { timing } = prepared;
    const limits = this.#limits(attemptMs, timing);
    const state = stateOf(this.entry);
    const permit = state.acquire(this.entry, leaseMs(limits.firstOutputMs, timing, config));
    if (permit === undefined) return refusal('CIRCUIT_OPEN');
    return { prepared: paced(prepared, state.pacing, this.entry.circuit), permit, limits };
  }

  get #lacksTime(): boolean {
    const { chain, spoiled, time } = this.#context;
    return spoiled.startsAfresh && chain.needsMs([this.entry]).some((needMs) => needMs > time.remainingMs);
  }

  get #isLast(): boolean {
    return this.#laterNeedsMs.length === 0;
  }

  /** Nothing is kept back for whom the request could not visit again: what is later tried a second time is a repeat. */
  get #laterNeedsMs(): number[] {
    const { allowance, chain } = this.#context;
    const isRepeat = chain.failureOf(this.entry) !== undefined;
    return chain.needsMs(
      this.#later.filter((later) => chain.failureOf(later) === undefined || allowance.mayRepeatLater(later, isRepeat)),
    );
  }

  #limits(attemptMs: number, timing: AttemptTiming): AttemptLimits {
    const { config, stateOf, time } = this.#context;
    const { times } = stateOf(this.entry).circuit(this.entry);
    const firstOutputMs = times.limitMs(timing, this.#isLast);
    return {
      sliceMs: attemptMs,
      firstOutputMs,
      blameAfterMs: times.blameAfterMs(timing, firstOutputMs),
      progressMs: timing.progressMs,
      clientStallMs: config.clientStallMs,
      deadlineAtMs: time.deadlineAtMs,
    };
  }
}

function refusal(reason: Failure['reason'], forMs?: number): Failure {
  return localRefusal(reason, 'The target is not available now.', forMs);
}
