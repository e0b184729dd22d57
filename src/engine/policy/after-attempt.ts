import type { ClassRule, Failure } from '../../core/failure.ts';
import { CLASS_RULES } from '../../core/failure.ts';
import type { Recovery } from '../port/call.ts';
import type { RetryConfig } from '../port/config.ts';
import type { Unavailable } from '../target/availability.ts';
import { comesBack } from '../target/availability.ts';
import { backoffMs, visitCeilingMs } from './backoff.ts';
import type { Beginning, Decision } from './decision.ts';

/** Longest Retry-After that is waited for on the same target (engine rule R4). */
const LONGEST_HINT_MS = 2_000;
/** The same with the jitter that a cooldown adds. */
const LONGEST_COOLDOWN_MS = 1.1 * LONGEST_HINT_MS;

/** So many times at most is a request written anew in one visit: there are no more ways to write it (class C13). */
const MOST_REWRITES = 4;

const NEXT_TARGET: Decision = { kind: 'NEXT', begins: 'NORMAL' };

/** Where a request stands when an attempt has failed, or has brought an answer that is not what was asked for. */
export interface FailedAttempt {
  /** What went wrong, as the provider made it. */
  readonly cause: Failure;
  /** What that means to the caller. */
  readonly failure: Failure;
  /** Whether some of the answer came. */
  readonly hasOutput: boolean;
  /** Whether the answer was not streamed, and broke off behind its head, so that it may be paid (engine rule R3). */
  readonly isBehindHead: boolean;
  /** Whether a target had begun to answer this request before: what another refuses of it is that one's own word (C12, C14). */
  readonly hasBegunBefore: boolean;
  /** Whether the caller has got some of it (engine rule G4). */
  readonly isCommitted: boolean;
  /** What the caller of a stream wants done when it breaks off; undefined where the answer is not streamed to it. */
  readonly recovery: Recovery | undefined;
  /** Of a complete answer that is not what was asked for; undefined for all other failures. */
  readonly rejection: { readonly isTolerable: boolean; readonly hasRepair: boolean } | undefined;
  /** Whether the provider itself has answered, not another server that speaks its API (class C12). */
  readonly ownHost: boolean;
  /** Whether the target would be asked in another form, which may not fail so (class C13). */
  readonly isRewritable: boolean;
  /** How many times the request was written anew in this visit. */
  readonly rewritesInVisit: number;
  /** Whether the attempt was to mend an answer: nothing repeats it. */
  readonly isRepair: boolean;
  /** Whether the answer that it was to mend may be returned as it is. */
  readonly hasTolerableAnswer: boolean;
  /** Whether a fault of our own has happened before in this request (class C21). */
  readonly hasInternalFault: boolean;
  readonly isDraining: boolean;
  /** Whether the request may repeat anything more (engine rule B3). */
  readonly hasRepeats: boolean;
  /** Whether it may repeat on this target (engine rules B3 and R1). */
  readonly mayRepeat: boolean;
  /** False where it failed by what a request repeats once, and it has done so before (class C15; engine rule R3). */
  readonly isWorthRepeating: boolean;
  /** Whether the budget of this target allows another restart (engine rule R2). */
  readonly mayRestart: boolean;
  /** Repeats made in this visit to the target, replacements of stale sockets not among them. */
  readonly repeatsInVisit: number;
  readonly staleSocketReplaced: boolean;
  /** Whether any other entry could be asked now. */
  readonly anotherIsAvailable: boolean;
  /** Whether another target could be asked now that is not suspect (engine rule R3). */
  readonly anotherIsSound: boolean;
  /** Why no call may go to the target now, which the failure itself may have brought about. */
  readonly unavailable: Unavailable | undefined;
  readonly remainingMs: number;
  /** The time that the visit may still take, in milliseconds. */
  readonly sliceMs: number;
  readonly minAttemptMs: number;
}

/** Decides what follows a failed attempt (the class table; engine rules R3, R4, P1, P1a, U3). */
export function decideAfterAttempt(failed: FailedAttempt, config: RetryConfig, random: () => number): Decision {
  const { cause, rejection } = failed;
  const recovered = failed.hasOutput || rejection?.hasRepair === true ? recover(failed) : 'NORMAL';
  if (rejection?.hasRepair === true && mayRepair(failed) && recovered !== 'GIVE_UP') {
    return { kind: 'REPAIR', begins: recovered === 'RESTART' ? 'RESTART' : 'NORMAL' };
  }
  if (rejection?.isTolerable === true) return { kind: 'ANSWER' };
  if (mayRewrite(failed)) return { kind: 'REWRITE' };
  const begins = failed.hasOutput ? recovered : 'NORMAL';
  // A fault of ours is passed on to one other target, not to all (class C21).
  const isSecondFault = cause.class === 'internal' && failed.hasInternalFault;
  const isFinal = begins !== 'RESTART' && (isLast(failed) || failed.isCommitted || isSecondFault);
  if (isFinal) return { kind: 'GIVE_UP', isDecisive: true };
  if (failed.hasTolerableAnswer) return { kind: 'ANSWER' };
  if (begins === 'GIVE_UP') return { kind: 'GIVE_UP', isDecisive: false };
  const repeat = failed.isRepair || failed.isDraining ? undefined : decideRepeat(failed, config, random);
  if (repeat !== undefined) return { kind: 'REPEAT', ...repeat, begins };
  return begins === 'NORMAL' ? NEXT_TARGET : { kind: 'NEXT', begins };
}

/**
 * Whether no other target can do better: the request or its caller is to blame. A refusal is of one server alone where another one
 * had taken the request (classes C12 and C14), and may be where it says nothing that is known, unless it is the provider's own, whose
 * word is final (C12).
 */
function isLast({ cause, hasBegunBefore, ownHost }: FailedAttempt): boolean {
  if (CLASS_RULES[cause.class].nextTarget !== 'no') return false;
  if (hasBegunBefore && (cause.class === 'bad_request' || cause.class === 'content')) return false;
  return cause.class !== 'bad_request' || cause.unrecognised !== true || ownHost;
}

/** A request that was written wrongly was not looked at: it is written anew while there is time for it. */
function mayRewrite(failed: FailedAttempt): boolean {
  const { isRewritable, isRepair, isDraining, rewritesInVisit, unavailable, sliceMs, minAttemptMs } = failed;
  const isDue = isRewritable && !isRepair && !isDraining && rewritesInVisit < MOST_REWRITES;
  return isDue && unavailable === undefined && sliceMs >= minAttemptMs;
}

/** A repair is a repeat: it needs budget and time. */
function mayRepair({ mayRepeat, remainingMs, minAttemptMs }: FailedAttempt): boolean {
  return mayRepeat && remainingMs >= minAttemptMs;
}

/** How the answer begins anew behind one of which some had come, or that nothing does (engine rules P1, P1a and U3). */
function recover(failed: FailedAttempt): Beginning | 'GIVE_UP' {
  const { cause, recovery, hasRepeats, mayRestart, remainingMs, minAttemptMs } = failed;
  if (recovery === undefined) return hasRepeats ? 'AFRESH' : 'GIVE_UP';
  const isInTime = remainingMs >= minAttemptMs;
  return recovery === 'RESTART' && isCurable(cause) && hasRepeats && mayRestart && isInTime ? 'RESTART' : 'GIVE_UP';
}

/** Whether another target may do better: not where the request, the caller or this gateway is at fault. */
function isCurable(cause: Failure): boolean {
  const isOthersFault = cause.class !== 'internal' && cause.reason !== 'DEADLINE';
  return CLASS_RULES[cause.class].nextTarget === 'yes' && isOthersFault;
}

type Repeat = { readonly waitMs: number; readonly isReplacement: boolean } | undefined;

/** Whether the attempt is repeated on its target before anything else is tried (engine rules R3 and R4). */
function decideRepeat(failed: FailedAttempt, config: RetryConfig, random: () => number): Repeat {
  const rule: ClassRule = CLASS_RULES[failed.failure.class];
  if (failed.failure.repeatIsUseless === true || !comesBack(failed.unavailable)) return undefined;
  const isSpent = failed.hasOutput || failed.isBehindHead;
  if (failed.anotherIsAvailable && (config.order === 'NEXT_FIRST' || isSpent)) return undefined;
  if (rule.sameTarget === 'at_once') {
    // A connection that the provider had closed meanwhile: the call was never looked at (class C3).
    return failed.staleSocketReplaced ? undefined : { waitMs: 0, isReplacement: true };
  }
  if (config.order === 'EXHAUST_FIRST') return exhaustFirst(failed, rule, config);
  if (rule.sameTarget === 'never' || failed.repeatsInVisit >= 1 || !failed.mayRepeat) return undefined;
  const hintMs = failed.failure.retryAfterMs;
  // Without a hint and a sound target to go to the rounds do the repeating, with their own waits.
  if (hintMs === undefined && (rule.sameTarget === 'retry_after' || !failed.anotherIsSound)) return undefined;
  if ((hintMs ?? 0) > LONGEST_HINT_MS || coolsForMs(failed) > LONGEST_COOLDOWN_MS) return undefined;
  const ceilingMs = visitCeilingMs(rule, failed.anotherIsAvailable, config.backoffMs);
  return fitting(backoffMs(ceilingMs, config.jitter, random), failed);
}

/** The provider's wish to be left alone is a lower bound: it never shortens the wait (engine rule R4). */
function fitting(pauseMs: number, failed: FailedAttempt): Repeat {
  const waitMs = Math.max(pauseMs, coolsForMs(failed));
  return waitMs + failed.minAttemptMs <= failed.sliceMs ? { waitMs, isReplacement: false } : undefined;
}

function coolsForMs({ unavailable }: FailedAttempt): number {
  return unavailable?.forMs ?? 0;
}

/** Every wait of the list on one target, in full, then the next target (engine rule R3). */
function exhaustFirst(failed: FailedAttempt, rule: ClassRule, config: RetryConfig): Repeat {
  const waitMs = config.backoffMs[failed.repeatsInVisit];
  if (waitMs === undefined || rule.laterRounds === false || !failed.isWorthRepeating) return undefined;
  // A provider that wants to be left alone for longer than any of them is left to its cooldown (engine rule R4).
  return coolsForMs(failed) > Math.max(...config.backoffMs) ? undefined : fitting(waitMs, failed);
}
