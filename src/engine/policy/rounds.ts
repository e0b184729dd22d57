import type { FailureClass } from '../../core/failure.ts';
import { backoffCeilingMs, backoffMs } from './backoff.ts';
import type { RetryConfig } from '../port/config.ts';
import type { Unavailable } from '../target/target-state.ts';
import { comesBack } from '../target/target-state.ts';

/** No wait before a round is longer, in milliseconds (engine, "Attempt loop"). */
const LONGEST_WAIT_MS = 30_000;
/** Pause before a round where the last one made no attempt: the least that lets time pass. */
const EMPTY_ROUND_MS = 1;

/** Where a request stands when its chain has been gone through. */
export interface RoundSituation {
  /** Rounds with an attempt so far, less one. */
  readonly round: number;
  /** Whether the round that has just ended made an attempt. */
  readonly visited: boolean;
  readonly remainingMs: number;
  readonly minAttemptMs: number;
  /** How long a target that takes no more attempts may still be waited for, in milliseconds (engine rule L1). */
  readonly slotWaitMs: number;
  /** The entries that may be visited again, or have not been yet. */
  readonly candidates: readonly {
    /** Absent: not tried yet. */
    readonly lastClass: FailureClass | undefined;
    /** Whether the request and the budget of the target allow a repeat (engine rules B3 and R1). */
    readonly mayRepeat: boolean;
    readonly unavailable: Unavailable | undefined;
  }[];
}

/** Returns the wait before the next round in milliseconds, or undefined where there is none (engine, "Attempt loop"; R4, R5, K9). */
export function nextRoundWaitMs(
  situation: RoundSituation,
  config: RetryConfig,
  random: () => number,
): number | undefined {
  if (config.order === 'EXHAUST_FIRST') return undefined;
  const worthwhile = situation.candidates.filter(
    ({ lastClass, mayRepeat, unavailable }) =>
      (comesBack(unavailable) || mayWaitForSlot(unavailable, situation)) && (lastClass === undefined || mayRepeat),
  );
  if (worthwhile.length === 0) return undefined;
  const ceilingsMs = worthwhile.map(({ lastClass }) =>
    lastClass === undefined ? 0 : backoffCeilingMs(lastClass, situation.round, config.backoffMs),
  );
  const pauseMs = situation.visited ? backoffMs(Math.max(...ceilingsMs), config.jitter, random) : EMPTY_ROUND_MS;
  const availableInMs = Math.min(...worthwhile.map(({ unavailable }) => unavailable?.forMs ?? 0));
  const waitMs = Math.max(pauseMs, availableInMs);
  if (waitMs > LONGEST_WAIT_MS || waitMs + situation.minAttemptMs > situation.remainingMs) return undefined;
  return waitMs;
}

function mayWaitForSlot(unavailable: Unavailable | undefined, { slotWaitMs }: RoundSituation): boolean {
  return unavailable?.reason === 'OVERLOADED' && unavailable.forMs <= slotWaitMs;
}
