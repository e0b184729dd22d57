import type { Failure } from '../../core/failure.ts';
import type { Allowance } from './allowance.ts';
import type { CallResult, ChainEntry, Recovery, Rejection, Repair } from '../port/call.ts';
import type { Delivery } from '../attempt/delivery.ts';
import type { Recovered } from '../policy/recovery.ts';
import { recover } from '../policy/recovery.ts';
import type { RequestTime } from './remaining-time.ts';

/** What of a request bears on its spoiled answers. */
export interface SpoiledAnswerContext<Output> {
  /** What the caller of a stream wants done when it breaks off; undefined for other calls. */
  readonly recovery: Recovery | undefined;
  readonly allowance: Allowance;
  readonly time: RequestTime;
  readonly delivery: Delivery<Output>;
}

/** What becomes of a request whose answers break off in the middle or are not what was asked for (engine rules P1, P1a, U3). */
export class SpoiledAnswer<Output, Final> {
  readonly #context: SpoiledAnswerContext<Output>;
  #repair: Repair<Output, Final> | undefined;
  #tolerated: CallResult<Output, Final> | undefined;
  /** What spoiled the answer that the caller has got some of, while another is to take its place. */
  interruption: Failure | undefined;
  /** Whether an answer was thrown away: then the next one must have the time that it needs. */
  startsAfresh = false;
  /** Whether nothing more may be tried, although nothing decisive has happened. */
  isExhausted = false;

  constructor(context: SpoiledAnswerContext<Output>) {
    this.#context = context;
  }

  /** Returns how the last answer is mended, once; undefined where there is nothing to mend. */
  takeRepair(): Repair<Output, Final> | undefined {
    const repair = this.#repair;
    this.#repair = undefined;
    return repair;
  }

  /** The answer that was to be mended and is returned as it is; undefined where it may not be, or the caller has lost it. */
  get tolerated(): CallResult<Output, Final> | undefined {
    const { delivery, time } = this.#context;
    return delivery.isCommitted || this.#tolerated === undefined
      ? undefined
      : { ...this.#tolerated, elapsedMs: time.elapsedMs };
  }

  /**
   * Decides whether an answer that is not what was asked for is mended; its stream, if there is one, then begins anew. It is
   * a repeat (engine rules B3, R1), and in a stream a restart too (R2).
   */
  isMended(entry: ChainEntry, rejection: Rejection<Output, Final>, answer: CallResult<Output, Final>): boolean {
    const { failure, isTolerable, repair } = rejection;
    const { allowance, time } = this.#context;
    if (repair === undefined || !allowance.mayRepeat(entry) || time.remainingMs < time.minAttemptMs) return false;
    const recovered = this.#recovered(entry, failure);
    if (recovered === 'END') return false;
    if (recovered === 'RESTART') this.#restart(entry, failure, failure);
    this.#repair = repair;
    this.#tolerated = isTolerable ? answer : undefined;
    return true;
  }

  /**
   * Decides what follows an answer that broke off; returns whether its stream begins anew.
   * @param cause what broke it, before what it means to the caller, which is `failure`
   */
  beginsAnew(entry: ChainEntry, cause: Failure, failure: Failure): boolean {
    const recovered = this.#recovered(entry, cause);
    this.startsAfresh = recovered === 'NEXT';
    if (recovered === 'END') this.isExhausted = true;
    if (recovered !== 'RESTART') return false;
    this.#restart(entry, cause, failure);
    return true;
  }

  #recovered(entry: ChainEntry, cause: Failure): Recovered {
    const { allowance, recovery, time } = this.#context;
    return recover({
      cause,
      recovery,
      hasRepeats: allowance.hasRepeats,
      mayRestart: allowance.mayRestart(entry),
      remainingMs: time.remainingMs,
      minAttemptMs: time.minAttemptMs,
    });
  }

  #restart(entry: ChainEntry, cause: Failure, failure: Failure): void {
    this.#context.allowance.restart(entry);
    this.#context.delivery.broke(cause.reason);
    this.#tolerated = undefined;
    this.interruption = failure;
  }
}
