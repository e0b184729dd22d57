import { describe, expect, it } from 'vitest';

import { CLASS_RULES } from '../../../src/core/failure.ts';
import type { FailureClass } from '../../../src/core/failure.ts';
import type { FailedAttempt } from '../../../src/engine/policy/after-attempt.ts';
import { decideAfterAttempt } from '../../../src/engine/policy/after-attempt.ts';
import { DEFAULT_ENGINE_CONFIG } from '../../../src/engine/port/config.ts';
import { afterCommit, deadlineExceeded } from '../../../src/engine/port/failures.ts';
import { failure } from '../../support/upstream-scripts.ts';
import { failed } from './failed-attempt.ts';

const CLASSES = Object.keys(CLASS_RULES) as FailureClass[];

/** How the answer begins anew behind one that broke off; END where it does not. A stream's caller has got some of it. */
function recovered(situation: Partial<FailedAttempt> = {}): 'END' | 'NORMAL' | 'AFRESH' | 'RESTART' {
  const { cause = failure('reset'), recovery = 'recovery' in situation ? undefined : 'RESTART' } = situation;
  const isCommitted = recovery !== undefined;
  const told = isCommitted ? afterCommit(cause) : cause;
  const broken = failed(cause.class, { ...situation, cause, failure: told, hasOutput: true, isCommitted, recovery });
  const remainingMs = situation.remainingMs ?? 5_000;
  const decision = decideAfterAttempt({ ...broken, remainingMs }, DEFAULT_ENGINE_CONFIG.retry, () => 0.5);
  if (decision.kind === 'GIVE_UP') return 'END';
  if (!('begins' in decision)) throw new Error('The answer broke off.');
  return decision.begins;
}

describe('a stream that broke off', () => {
  it('begins anew only if the caller wants it, repeats and budget are left, and there is time', () => {
    expect(recovered()).toBe('RESTART');
    expect(recovered({ remainingMs: 1_000 })).toBe('RESTART');
    expect(recovered({ recovery: 'FAIL' })).toBe('END');
    expect(recovered({ hasRepeats: false })).toBe('END');
    expect(recovered({ mayRestart: false })).toBe('END');
    expect(recovered({ remainingMs: 999 })).toBe('END');
  });

  it('does not where another target could not do better', () => {
    const incurable = CLASSES.filter((name) => recovered({ cause: failure(name) }) === 'END');
    expect(incurable.toSorted()).toEqual([
      'bad_request',
      'budget',
      'capability',
      'client_cancel',
      'content',
      'cut_short',
      'internal',
      'interrupted',
      'slow_reader',
    ]);
    expect(recovered({ cause: deadlineExceeded() })).toBe('END');
  });
});

describe('an answer that broke off before any of it was passed on', () => {
  it('lets the next target be asked while repeats remain, whatever the budget for restarts', () => {
    expect(recovered({ recovery: undefined, mayRestart: false })).toBe('AFRESH');
    expect(recovered({ recovery: undefined, hasRepeats: false })).toBe('END');
  });
});
