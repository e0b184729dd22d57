import { describe, expect, it } from 'vitest';

import { CLASS_RULES } from '../../../src/core/failure.ts';
import type { FailureClass } from '../../../src/core/failure.ts';
import { deadlineExceeded } from '../../../src/engine/port/failures.ts';
import type { BreakSituation, Recovered } from '../../../src/engine/policy/recovery.ts';
import { recover } from '../../../src/engine/policy/recovery.ts';
import { failure } from '../../support/upstream-scripts.ts';

const CLASSES = Object.keys(CLASS_RULES) as FailureClass[];

function recovered(situation: Partial<BreakSituation> = {}): Recovered {
  return recover({
    cause: failure('reset'),
    recovery: 'RESTART',
    hasRepeats: true,
    mayRestart: true,
    remainingMs: 5_000,
    minAttemptMs: 1_000,
    ...situation,
  });
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
    expect(recovered({ recovery: undefined, mayRestart: false })).toBe('NEXT');
    expect(recovered({ recovery: undefined, hasRepeats: false })).toBe('END');
  });
});
