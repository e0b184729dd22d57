import type { ClassRule, Failure } from '../../core/failure.ts';
import { CLASS_RULES } from '../../core/failure.ts';
import { backoffCeilingMs, backoffMs } from './backoff.ts';
import type { RetryConfig } from '../port/config.ts';
import type { Unavailable } from '../target/target-state.ts';
import { comesBack } from '../target/target-state.ts';

/** Longest Retry-After that is waited for on the same target (engine rule R4). */
const LONGEST_HINT_MS = 2_000;
/** The same with the jitter that a cooldown adds. */
const LONGEST_COOLDOWN_MS = 1.1 * LONGEST_HINT_MS;

/** What bears on whether an attempt is repeated on the same target. */
export interface RepeatSituation {
  readonly failure: Failure;
  /** Repeats made in this visit to the target, replacements of stale sockets not among them. */
  readonly repeatsInVisit: number;
  readonly staleSocketReplaced: boolean;
  /** Whether the request and the budget of the target allow a repeat (engine rules B3 and R1). */
  readonly mayRepeat: boolean;
  /** Whether the answer broke off in the middle: then another target comes first (engine rules P1a and U3). */
  readonly brokeOff: boolean;
  readonly anotherIsAvailable: boolean;
  /** Why no call may go to the target now, which the failure itself may have brought about. */
  readonly unavailable: Unavailable | undefined;
  /** The time that the visit may still take, in milliseconds. */
  readonly sliceMs: number;
  readonly minAttemptMs: number;
}

/** Whether to repeat, after how many milliseconds, and whether the repeat counts against the request's. */
export type Repeat = { readonly waitMs: number; readonly counts: boolean } | undefined;

/** Decides whether a failed attempt is repeated on its target before anything else is tried (engine rules R3 and R4). */
export function decideRepeat(situation: RepeatSituation, config: RetryConfig, random: () => number): Repeat {
  const rule: ClassRule = CLASS_RULES[situation.failure.class];
  if (situation.failure.repeatIsUseless === true || !comesBack(situation.unavailable)) return undefined;
  if (situation.anotherIsAvailable && (config.order === 'NEXT_FIRST' || situation.brokeOff)) return undefined;
  if (rule.same === 'at_once') {
    // A connection that the provider had closed meanwhile: the call was never looked at (class C3).
    return situation.staleSocketReplaced ? undefined : { waitMs: 0, counts: false };
  }
  if (config.order === 'EXHAUST_FIRST') return exhaustFirst(situation, rule, config);
  if (rule.same === 'never' || situation.repeatsInVisit >= 1 || !situation.mayRepeat) return undefined;
  const hintMs = situation.failure.retryAfterMs;
  // Without a hint and another target the rounds do the repeating, with their own waits.
  if (hintMs === undefined && (rule.same === 'retry_after' || !situation.anotherIsAvailable)) return undefined;
  if ((hintMs ?? 0) > LONGEST_HINT_MS || coolsForMs(situation) > LONGEST_COOLDOWN_MS) return undefined;
  const ceilingMs = backoffCeilingMs(situation.failure.class, 0, config.backoffMs);
  return fitting(backoffMs(ceilingMs, config.jitter, random), situation);
}

/** The provider's wish to be left alone is a lower bound: it never shortens the wait (engine rule R4). */
function fitting(pauseMs: number, situation: RepeatSituation): Repeat {
  const waitMs = Math.max(pauseMs, coolsForMs(situation));
  return waitMs + situation.minAttemptMs <= situation.sliceMs ? { waitMs, counts: true } : undefined;
}

function coolsForMs({ unavailable }: RepeatSituation): number {
  return unavailable?.forMs ?? 0;
}

/** The schedule of the system this one descends from: every wait of the list on one target, in full, then the next target. */
function exhaustFirst(situation: RepeatSituation, rule: ClassRule, config: RetryConfig): Repeat {
  const waitMs = config.backoffMs[situation.repeatsInVisit];
  if (waitMs === undefined || !rule.laterRounds) return undefined;
  // A provider that wants to be left alone for longer than any of them is left to its cooldown (engine rule R4).
  return coolsForMs(situation) > Math.max(...config.backoffMs) ? undefined : fitting(waitMs, situation);
}
