import { describe, expect, it } from 'vitest';

import type { ClassRule, Failure, FailureClass } from '../../src/core/failure.ts';
import { CLASS_RULES, FailureError, REASON_STATUS } from '../../src/core/failure.ts';

const ROWS = Object.entries(CLASS_RULES) as [FailureClass, ClassRule][];

function classesWhere(holds: (rule: ClassRule) => boolean): FailureClass[] {
  return ROWS.flatMap(([name, rule]) => (holds(rule) ? [name] : []));
}

describe('the class table', () => {
  it('blames the provider for what it sent, and for its silence, and for nothing else', () => {
    expect(classesWhere(({ verdict }) => verdict === 'failure')).toEqual([
      'connect',
      'tls',
      'reset',
      'silence',
      'overload',
      'protocol',
      'interrupted',
    ]);
  });

  it('lets later rounds visit only what a wait may cure: C1, C3 to C8, C15, C16, and C17 for an answer begun anew', () => {
    const names = ROWS.map(([name]) => name);
    const numbers = classesWhere(({ laterRounds }) => laterRounds !== false).map((name) => names.indexOf(name) + 1);
    expect(numbers).toEqual([1, 3, 4, 5, 6, 7, 8, 15, 16, 17]);
  });

  it('has what hardly ever heals repeated once: C15', () => {
    expect(classesWhere(({ laterRounds }) => laterRounds === 'once')).toEqual(['protocol']);
  });

  it('suspends for a used-up quota, a refused key and a missing model, none of which is repeated', () => {
    const suspending = ROWS.filter(([, { suspendMs }]) => suspendMs !== undefined);
    expect(suspending.map(([name, { suspendMs }]) => `${name} ${suspendMs}`)).toEqual([
      'quota 300000',
      'auth 60000',
      'not_found 60000',
    ]);
    for (const [, rule] of suspending)
      expect(rule).toMatchObject({ sameTarget: 'never', laterRounds: false, verdict: 'neutral' });
  });

  it('repeats nothing that the next target may not be asked either, but for an answer begun anew', () => {
    for (const [name, rule] of ROWS) {
      if (rule.nextTarget === 'no' && name !== 'interrupted')
        expect(rule).toMatchObject({ sameTarget: 'never', laterRounds: false });
    }
  });
});

describe('the status of a reason', () => {
  it('never makes a refused key of ours the caller’s', () => {
    expect(REASON_STATUS.PROVIDER_AUTH_FAILED).toBe('INTERNAL');
  });
});

describe('a thrown failure', () => {
  it('carries the failure, its message, and its cause', () => {
    const cause = new Error('socket hang up');
    const failure: Failure = {
      class: 'reset',
      reason: 'PROVIDER_UNAVAILABLE',
      message: 'The connection broke.',
      cause,
    };
    const error = new FailureError(failure);
    expect(error).toMatchObject({ name: 'FailureError', message: 'The connection broke.', failure, cause });
  });
});
