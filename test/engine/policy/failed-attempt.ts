import type { FailureClass } from '../../../src/core/failure.ts';
import type { FailedAttempt } from '../../../src/engine/policy/after-attempt.ts';
import { failure } from '../../support/upstream-scripts.ts';

/** A failed attempt of a chain with another target that could be asked. */
export function failed(failureClass: FailureClass, situation: Partial<FailedAttempt> = {}): FailedAttempt {
  const made = situation.failure ?? failure(failureClass);
  return {
    cause: made,
    failure: made,
    hasOutput: false,
    isBehindHead: false,
    hasBegunBefore: false,
    isCommitted: false,
    recovery: undefined,
    rejection: undefined,
    ownHost: true,
    isRewritable: false,
    rewritesInVisit: 0,
    isRepair: false,
    hasTolerableAnswer: false,
    hasInternalFault: false,
    isDraining: false,
    hasRepeats: true,
    mayRepeat: true,
    isWorthRepeating: true,
    mayRestart: true,
    repeatsInVisit: 0,
    staleSocketReplaced: false,
    anotherIsAvailable: true,
    anotherIsSound: true,
    unavailable: undefined,
    remainingMs: 20_000,
    sliceMs: 20_000,
    minAttemptMs: 1_000,
    ...situation,
  };
}
