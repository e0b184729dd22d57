import type { FailedAttempt } from '../policy/after-attempt.ts';
import type { TurnsTaken } from '../policy/after-turns.ts';
import { lacksTime } from './admit.ts';
import type { AttemptFault } from './make-attempt.ts';
import type { Request } from './request.ts';
import type { Visit } from './visit.ts';

/** Returns where a request stands whose attempt has failed, for the policy to decide on; `isRepair`: it was to mend an answer. */
export function failedAttempt<Output, Final>(
  { allowance, begunFailure, chain, context, delivery, recovery, time, tolerable }: Request<Output, Final>,
  visit: Visit<Output, Final>,
  { cause, failure, rejection, hasOutput, isBehindHead, isRewritable }: AttemptFault<Output, Final>,
  isRepair: boolean,
): FailedAttempt {
  const { entry, repeats, rewrites, staleSocketReplaced } = visit;
  return {
    cause,
    failure,
    hasOutput,
    isBehindHead,
    hasBegunBefore: begunFailure !== undefined,
    isCommitted: delivery.isCommitted,
    recovery,
    rejection: rejection && { isTolerable: rejection.isTolerable, hasRepair: rejection.repair !== undefined },
    ownHost: context.stateOf(entry).target.ownHost,
    isRewritable,
    rewritesInVisit: rewrites,
    isRepair,
    hasTolerableAnswer: isRepair && tolerable !== undefined,
    hasInternalFault: chain.hasInternalFault,
    isDraining: context.drain.hasBegun,
    hasRepeats: allowance.hasRepeats,
    mayRepeat: allowance.mayRepeat(entry),
    isWorthRepeating: allowance.isWorthRepeating(entry),
    mayRestart: allowance.mayRestart(entry),
    repeatsInVisit: repeats,
    staleSocketReplaced,
    anotherIsAvailable: chain.hasOtherThan(entry),
    anotherIsSound: chain.hasSoundOther(entry),
    anotherHasFailed: chain.hasFailedElsewhere(entry),
    unavailable: chain.unavailable(entry),
    remainingMs: time.remainingMs,
    sliceMs: visit.sliceMs,
    minAttemptMs: time.minAttemptMs,
  };
}

/** Returns where a request stands of whose chain every entry has had its turn; `visited`: one of them was asked. */
export function turnsTaken<Output, Final>(request: Request<Output, Final>, visited: boolean): TurnsTaken {
  const { allowance, chain, context, time, trail } = request;
  const inTime = chain.candidates(allowance).filter((entry) => !lacksTime(request, entry));
  const candidates = inTime.map((entry) => ({
    lastClass: chain.failureOf(entry)?.class,
    mayRepeat: allowance.mayRepeat(entry),
    unavailable: chain.unavailable(entry),
  }));
  const isFull = candidates.some(({ unavailable }) => unavailable?.reason === 'OVERLOADED');
  return {
    repeats: allowance.repeats,
    visited,
    isDraining: context.drain.hasBegun && trail.attempts > 0,
    remainingMs: time.remainingMs,
    minAttemptMs: time.minAttemptMs,
    slotWaitMs: isFull ? time.slotWaitMs(context.config.admission) : 0,
    candidates,
  };
}
