import { describe, expect, it } from 'vitest';

import type { Failure, FailureClass } from '../../../src/core/failure.ts';
import type { AttemptKind, AttemptRecord, CallFailure } from '../../../src/engine/port/call.ts';
import { clientCancelled, cutShort, localRefusal } from '../../../src/engine/port/failures.ts';
import type { Ending } from '../../../src/engine/request/final-failure.ts';
import { finalFailure } from '../../../src/engine/request/final-failure.ts';
import { entryOf } from '../../support/engine-harness.ts';
import { failure } from '../../support/upstream-scripts.ts';

const ENTRIES = new Map(['a', 'b', 'c'].map((target) => [target, entryOf(target)]));

function record(target: string, failed: Failure, kind: AttemptKind = 'FIRST'): AttemptRecord {
  return {
    number: 1,
    kind,
    entry: ENTRIES.get(target) ?? entryOf(target),
    failure: failed,
    startedAtWallMs: 0,
    startedAfterMs: 0,
    durationMs: 1,
    waitBeforeMs: 0,
    outputBytes: 0,
    sliceMs: 1,
    phase: 'CONNECTING',
  };
}

function tried(target: string, name: FailureClass, more: Partial<Failure> = {}): AttemptRecord {
  return record(target, failure(name, more));
}

function skipped(target: string, reason: Failure['reason'], forMs?: number): AttemptRecord {
  return record(target, localRefusal(reason, 'Not now.', forMs), 'SKIPPED');
}

function told(attempts: readonly AttemptRecord[], more: Partial<Ending> = {}): CallFailure {
  return finalFailure({ attempts, deadlineReached: false, decisive: undefined, availableInMs: undefined, ...more });
}

describe('when all targets have failed', () => {
  it('the caller gets the code that they share, otherwise UNAVAILABLE', () => {
    expect(told([tried('a', 'overload'), tried('b', 'silence')])).toMatchObject({
      status: 'UNAVAILABLE',
      reason: 'ALL_PROVIDERS_FAILED',
      contacted: true,
    });
    expect(told([tried('a', 'auth'), tried('b', 'protocol')]).status).toBe('INTERNAL');
    expect(told([tried('a', 'auth'), tried('b', 'rate_limit')]).status).toBe('UNAVAILABLE');
  });

  it('only the last failure of each target counts', () => {
    expect(told([tried('a', 'overload'), tried('b', 'rate_limit'), tried('a', 'rate_limit')]).status).toBe(
      'RESOURCE_EXHAUSTED',
    );
  });

  it('a target that was passed over counts with the reason for it, but not if the request was too much for it', () => {
    expect(told([tried('a', 'auth'), skipped('b', 'CIRCUIT_OPEN', 4_000)], { availableInMs: 4_000 })).toMatchObject({
      status: 'UNAVAILABLE',
      retryAfterMs: 4_000,
    });
    const unable = record('b', failure('capability', { reason: 'UNSUPPORTED_PARAMETER' }), 'SKIPPED');
    expect(told([tried('a', 'rate_limit'), unable]).status).toBe('RESOURCE_EXHAUSTED');
    expect(told([tried('a', 'rate_limit'), skipped('a', 'CIRCUIT_OPEN')]).status).toBe('RESOURCE_EXHAUSTED');
  });

  it('rate limits everywhere tell the least time to wait', () => {
    const limits = [
      tried('a', 'rate_limit', { retryAfterMs: 9_000 }),
      tried('b', 'rate_limit', { retryAfterMs: 4_000 }),
    ];
    expect(told(limits, { availableInMs: 4_321 })).toMatchObject({ status: 'RESOURCE_EXHAUSTED', retryAfterMs: 4_000 });
  });

  it('a hint of one target does not hold the caller back from another that is free', () => {
    const attempts = [tried('a', 'rate_limit', { retryAfterMs: 60_000 }), tried('b', 'overload')];
    expect(told(attempts).retryAfterMs).toBeUndefined();
    expect(told(attempts, { availableInMs: 700 }).retryAfterMs).toBe(700);
  });

  it('a used-up quota comes back at no known time', () => {
    expect(told([tried('a', 'quota')], { availableInMs: 300_000 })).toMatchObject({
      status: 'RESOURCE_EXHAUSTED',
      retryAfterMs: undefined,
    });
    expect(told([tried('a', 'quota'), tried('b', 'rate_limit')], { availableInMs: 900 }).retryAfterMs).toBe(900);
  });
});

describe('a request that no target could take', () => {
  it('is told so, with the field that is to blame', () => {
    expect(told([tried('a', 'capability', { field: 'messages' })])).toMatchObject({
      status: 'INVALID_ARGUMENT',
      reason: 'CONTEXT_LENGTH_EXCEEDED',
      field: 'messages',
      contacted: true,
    });
  });

  it('is not told so while one of them may take it another time', () => {
    expect(told([tried('a', 'capability'), skipped('b', 'CIRCUIT_OPEN')])).toMatchObject({
      status: 'UNAVAILABLE',
      reason: 'ALL_PROVIDERS_FAILED',
    });
    expect(told([tried('a', 'overload'), tried('b', 'capability')]).status).toBe('UNAVAILABLE');
  });
});

describe('what ended the chain by itself', () => {
  it.each([
    ['bad_request', 'INVALID_ARGUMENT', 'INVALID_REQUEST'],
    ['content', 'INVALID_ARGUMENT', 'PROMPT_BLOCKED'],
    ['interrupted', 'ABORTED', 'STREAM_INTERRUPTED'],
    ['slow_reader', 'CANCELLED', 'SLOW_READER'],
  ] as const)('%s is told as itself', (name, status, reason) => {
    expect(told([tried('a', 'overload'), tried('b', name)], { decisive: failure(name) })).toMatchObject({
      status,
      reason,
    });
  });

  it('a cancel is a cancel, also where the deadline has passed meanwhile', () => {
    expect(told([], { decisive: clientCancelled(), deadlineReached: true })).toMatchObject({
      status: 'CANCELLED',
      reason: 'CANCELLED',
      contacted: false,
    });
  });

  it('the deadline is the deadline, whatever has failed before it', () => {
    const expected = { status: 'DEADLINE_EXCEEDED', reason: 'DEADLINE' };
    expect(told([tried('a', 'overload')], { deadlineReached: true })).toMatchObject(expected);
    expect(told([record('a', cutShort())], { deadlineReached: true, decisive: cutShort() })).toMatchObject(expected);
    expect(told([], { deadlineReached: true })).toMatchObject({ ...expected, contacted: false });
  });
});

describe('a request that one target had begun to answer', () => {
  const begun = failure('silence');

  it.each(['bad_request', 'content'] as const)('is told how that broke off where another refused it: %s', (name) => {
    const attempts = [tried('a', 'silence'), tried('b', name), tried('c', 'overload')];
    expect(told(attempts, { begun })).toMatchObject({ status: 'UNAVAILABLE', reason: 'PROVIDER_TIMEOUT' });
    expect(told(attempts, { begun, deadlineReached: true }).reason).toBe('DEADLINE');
  });

  it('is told as ever where none has refused it', () => {
    const attempts = [tried('a', 'silence'), tried('b', 'capability')];
    expect(told(attempts, { begun })).toMatchObject({ status: 'UNAVAILABLE', reason: 'ALL_PROVIDERS_FAILED' });
  });
});

describe('when nothing was tried', () => {
  it.each([
    ['CIRCUIT_OPEN', 'UNAVAILABLE'],
    ['PROVIDER_RATE_LIMITED', 'RESOURCE_EXHAUSTED'],
    ['PROVIDER_AUTH_FAILED', 'INTERNAL'],
    ['PROVIDER_QUOTA_EXHAUSTED', 'RESOURCE_EXHAUSTED'],
    ['PROVIDER_MODEL_NOT_FOUND', 'INTERNAL'],
  ] as const)('%s everywhere is told as %s, and safe to repeat', (reason, status) => {
    expect(told([skipped('a', reason), skipped('b', reason)], { availableInMs: 5_000 })).toMatchObject({
      status,
      reason,
      contacted: false,
      retryAfterMs: reason === 'PROVIDER_QUOTA_EXHAUSTED' ? undefined : 5_000,
    });
  });

  it('several reasons are UNAVAILABLE', () => {
    expect(told([skipped('a', 'CIRCUIT_OPEN'), skipped('b', 'PROVIDER_RATE_LIMITED')])).toMatchObject({
      status: 'UNAVAILABLE',
      reason: 'ALL_PROVIDERS_FAILED',
      contacted: false,
    });
  });

  it('what a target cannot do counts only if nothing else is left', () => {
    const unable = record(
      'a',
      failure('capability', { reason: 'COST_LIMIT_EXCEEDED', field: 'routing.max_cost_usd' }),
      'SKIPPED',
    );
    expect(told([unable])).toMatchObject({
      status: 'INVALID_ARGUMENT',
      reason: 'COST_LIMIT_EXCEEDED',
      field: 'routing.max_cost_usd',
    });
    expect(told([unable, skipped('b', 'CIRCUIT_OPEN')])).toMatchObject({
      status: 'UNAVAILABLE',
      reason: 'CIRCUIT_OPEN',
    });
  });

  it('an empty chain is a missing configuration', () => {
    expect(told([])).toMatchObject({ status: 'FAILED_PRECONDITION', reason: 'NO_PROVIDER_CONFIGURED' });
  });
});

describe('the contact flag', () => {
  it('is false only where certainly nothing was sent', () => {
    expect(told([tried('a', 'connect'), tried('b', 'tls')]).contacted).toBe(false);
    expect(told([tried('a', 'connect'), tried('b', 'stale_socket')]).contacted).toBe(true);
    expect(told([tried('a', 'connect'), skipped('b', 'CIRCUIT_OPEN')]).contacted).toBe(false);
  });
});
