import type { FailureClass } from '../../core/failure.ts';
import { backoffMs, roundCeilingMs } from './backoff.ts';
import type { RetryConfig } from '../port/config.ts';
import type { Unavailable } from '../target/availability.ts';
import { comesBack } from '../target/availability.ts';
import type { Decision } from './decision.ts';

/** No wait before a round is longer, in milliseconds (engine, "Attempt loop"). */
const LONGEST_WAIT_MS = 30_000;
/** A timer may fire so many milliseconds late: a wait that is cut to the deadline leaves them besides the least attempt. */
const TIMER_SLACK_MS = 50;
/** Pause before a round where the last one made no attempt: the least that lets time pass. */
const EMPTY_ROUND_MS = 1;

const GIVE_UP: Decision = { kind: 'GIVE_UP', isDecisive: false };

/** Where a request stands when every entry of its chain has had its turn. */
export interface TurnsTaken {
  /** Repeats that the request has made (engine rule B3). */
  readonly repeats: number;
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
  const availableInMs = Math.min(...worthwhile.map(({ unavailable }) => unavailable?.forMs ?? 0));
  const mostMs = turns.remainingMs - turns.minAttemptMs;
  const revisits = worthwhile.filter(({ lastClass }) => lastClass !== undefined).length;
  const pauseMs = turns.visited ? pauseBeforeMs(revisits, turns, config, random) : EMPTY_ROUND_MS;
  const waitMs = Math.max(pauseMs, availableInMs);
  return waitMs > LONGEST_WAIT_MS || waitMs > mostMs ? GIVE_UP : { kind: 'ROUND', waitMs };
}

/** A pause is no reason to give up: it is cut to what is left of the deadline (engine rule R5). */
function pauseBeforeMs(revisits: number, turns: TurnsTaken, config: RetryConfig, random: () => number): number {
  if (revisits === 0) return 0;
  const { repeats, remainingMs, minAttemptMs } = turns;
  const leftMs = Math.max(0, remainingMs - minAttemptMs - TIMER_SLACK_MS);
  const ceilingMs = roundCeilingMs(repeats, revisits, config.maxRepeats, config.backoffMs);
  return backoffMs(Math.min(ceilingMs, LONGEST_WAIT_MS, leftMs), config.jitter, random);
}

function mayWaitForSlot(unavailable: Unavailable | undefined, { slotWaitMs }: TurnsTaken): boolean {
  return unavailable?.reason === 'OVERLOADED' && unavailable.forMs <= slotWaitMs;
}
