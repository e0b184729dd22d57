import type { FailureClass } from '../../core/failure.ts';
import { backoffCeilingMs, backoffMs } from './backoff.ts';
import type { RetryConfig } from '../port/config.ts';
import type { Unavailable } from '../target/availability.ts';
import { comesBack } from '../target/availability.ts';
import type { Decision } from './decision.ts';

/** No wait before a round is longer, in milliseconds (engine, "Attempt loop"). */
const LONGEST_WAIT_MS = 30_000;
/** Pause before a round where the last one made no attempt: the least that lets time pass. */
const EMPTY_ROUND_MS = 1;

const GIVE_UP: Decision = { kind: 'GIVE_UP', isDecisive: false };

/** Where a request stands when every entry of its chain has had its turn. */
export interface TurnsTaken {
  /** Rounds with an attempt so far, less one. */
  readonly round: number;
  /** Whether the round that has just ended made an attempt. */
  readonly visited: boolean;
  readonly isDraining: boolean;
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

/** Decides whether the chain is gone through once more, and after which wait (engine, "Attempt loop"; R4, R5, K9). */
export function decideAfterTurns(turns: TurnsTaken, config: RetryConfig, random: () => number): Decision {
  if (config.order === 'EXHAUST_FIRST' || turns.isDraining) return GIVE_UP;
  const worthwhile = turns.candidates.filter(
    ({ lastClass, mayRepeat, unavailable }) =>
      (comesBack(unavailable) || mayWaitForSlot(unavailable, turns)) && (lastClass === undefined || mayRepeat),
  );
  if (worthwhile.length === 0) return GIVE_UP;
  const ceilingsMs = worthwhile.map(({ lastClass }) =>
    lastClass === undefined ? 0 : backoffCeilingMs(lastClass, turns.round, config.backoffMs),
  );
  const pauseMs = turns.visited ? backoffMs(Math.max(...ceilingsMs), config.jitter, random) : EMPTY_ROUND_MS;
  const availableInMs = Math.min(...worthwhile.map(({ unavailable }) => unavailable?.forMs ?? 0));
  const waitMs = Math.max(pauseMs, availableInMs);
  const isTooLong = waitMs > LONGEST_WAIT_MS || waitMs + turns.minAttemptMs > turns.remainingMs;
  return isTooLong ? GIVE_UP : { kind: 'ROUND', waitMs };
}

function mayWaitForSlot(unavailable: Unavailable | undefined, { slotWaitMs }: TurnsTaken): boolean {
  return unavailable?.reason === 'OVERLOADED' && unavailable.forMs <= slotWaitMs;
}
