import { create, fromBinary } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { Code, type ConnectError } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RequestInfoSchema,
  RetryInfoSchema,
} from '../../../gen/google/rpc/error_details_pb.ts';
import { StatusSchema } from '../../../gen/google/rpc/status_pb.ts';
import { ErrorReason } from '../../../gen/understudy/v1/error_pb.ts';
import { type Attempt, AttemptKind, AttemptSchema, AttemptTrailSchema } from '../../../gen/understudy/v1/routing_pb.ts';
import { FailureError, REASON_STATUS } from '../../../src/core/failure.ts';
import type { CallFailure } from '../../../src/engine/port/call.ts';
import { encodeStatus } from '../../../src/server/errors/details.ts';
import {
  callError,
  type ErrorContext,
  forbidsRepeat,
  invalidRequest,
  refusal,
  unexpected,
} from '../../../src/server/errors/status.ts';

const CONTEXT: ErrorContext = { requestId: 'id-1', random: () => 0.5 };

function told(changes: Partial<CallFailure> = {}): CallFailure {
  return {
    status: 'UNAVAILABLE',
    reason: 'CIRCUIT_OPEN',
    message: 'no target can be used',
    contacted: false,
    ...changes,
  };
}

function trail(...attempts: Partial<Attempt>[]): Attempt[] {
  return attempts.map((changes, index) =>
    Object.assign(create(AttemptSchema, { number: index + 1, kind: AttemptKind.FAILOVER }), changes),
  );
}

function info(error: ConnectError) {
  return error.findDetails(ErrorInfoSchema)[0];
}

test('every reason has its code, and ErrorInfo and RequestInfo come with all but a cancel', () => {
  for (const [reason, status] of Object.entries(REASON_STATUS)) {
    const error = callError(
      { ...told(), ...refusal({ class: 'internal', reason: reason as never, message: 'm' }) },
      CONTEXT,
    );
    expect(Code[error.code].replaceAll(/([a-z])([A-Z])/g, '$1_$2').toUpperCase()).toBe(
      status === 'CANCELLED' ? 'CANCELED' : status,
    );
    if (reason === 'CANCELLED') expect(error.details).toEqual([]);
    else {
      expect(info(error)).toMatchObject({ reason, domain: 'understudy' });
      expect(error.findDetails(RequestInfoSchema)[0]?.requestId).toBe('id-1');
    }
    expect(error.metadata.get('x-request-id')).toBe('id-1');
  }
});

describe('pushback', () => {
  test.each([
    ['not contacted, unavailable: at least 250 ms, jittered upwards', told(), '282'],
    ['not contacted, with a time: no earlier than that', told({ retryAfterMs: 4000 }), '4500'],
    ['not contacted, a time that is shorter than the least', told({ retryAfterMs: 10 }), '282'],
    ['not contacted, exhausted with a time', told({ status: 'RESOURCE_EXHAUSTED', retryAfterMs: 1000 }), '1125'],
    ['not contacted, invalid: none', told({ status: 'INVALID_ARGUMENT' }), null],
    ['going down: at once elsewhere, but 10 ms at least, jittered', told({ reason: 'SHUTTING_DOWN' }), '30'],
    ['contacted: never', told({ contacted: true }), '-1'],
    ['contacted, with a time: never', told({ contacted: true, retryAfterMs: 4000 }), '-1'],
  ])('%s', (_, failure, expected) => {
    const error = callError(failure, CONTEXT);
    expect(error.metadata.get('grpc-retry-pushback-ms')).toBe(expected);
    expect(forbidsRepeat(error)).toBe(expected === '-1');
  });
});

describe('a wait that does not fit into the time of the caller', () => {
  const pushback = (remainingMs: number | undefined, changes: Parameters<typeof told>[0] = {}) =>
    callError(told(changes), { ...CONTEXT, remainingMs }).metadata.get('grpc-retry-pushback-ms');

  test('is not asked for: the client gets its error at once', () => {
    expect(pushback(5_000, { retryAfterMs: 30_000, reason: 'CIRCUIT_OPEN' })).toBe('-1');
    expect(pushback(300, {})).toBe('-1');
    expect(pushback(60, { reason: 'SHUTTING_DOWN' })).toBe('-1');
    expect(pushback(0, {})).toBe('-1');
  });

  test('is one that leaves less than 50 ms for the repeat', () => {
    expect(pushback(282 + 49)).toBe('-1');
    expect(pushback(282 + 50)).toBe('282');
    expect(pushback(undefined, { retryAfterMs: 3_600_000 })).toBe('4050000');
  });

  test('still comes as advice to the application', () => {
    const error = callError(told({ retryAfterMs: 30_000 }), { ...CONTEXT, remainingMs: 5_000 });
    expect(error.findDetails(RetryInfoSchema)[0]?.retryDelay?.seconds).toBe(30n);
  });
});

describe('details', () => {
  test('RetryInfo says when another try may help, also after contact', () => {
    const [retry] = callError(told({ retryAfterMs: 1500.2, contacted: true }), CONTEXT).findDetails(RetryInfoSchema);
    expect(retry?.retryDelay).toMatchObject({ seconds: 1n, nanos: 501_000_000 });
    expect(callError(told(), CONTEXT).findDetails(RetryInfoSchema)).toEqual([]);
  });

  test('BadRequest names all violations, or the one field of a refusal', () => {
    const violations = [{ field: 'prompt', description: 'must not be empty' }];
    const error = callError(invalidRequest(violations), { ...CONTEXT, violations });
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.findDetails(BadRequestSchema)[0]?.fieldViolations).toMatchObject(violations);
    const refused = callError(
      refusal({
        class: 'bad_request',
        reason: 'ROUTE_NOT_FOUND',
        message: 'there is no such route',
        field: 'routing.route',
      }),
      CONTEXT,
    );
    expect(refused.code).toBe(Code.NotFound);
    expect(refused.findDetails(BadRequestSchema)[0]?.fieldViolations).toMatchObject([{ field: 'routing.route' }]);
  });

  test('QuotaFailure names the targets whose providers limit us, each once', () => {
    const attempts = trail(
      { target: 'a', outcome: ErrorReason.PROVIDER_RATE_LIMITED },
      { target: 'a', outcome: ErrorReason.PROVIDER_RATE_LIMITED },
      { target: 'b', outcome: ErrorReason.PROVIDER_QUOTA_EXHAUSTED },
      { target: 'c', outcome: ErrorReason.PROVIDER_UNAVAILABLE },
    );
    const exhausted = callError(told({ status: 'RESOURCE_EXHAUSTED', contacted: true }), { ...CONTEXT, attempts });
    const subjects = exhausted.findDetails(QuotaFailureSchema)[0]?.violations.map((violation) => violation.subject);
    expect(subjects).toEqual(['target:a', 'target:b']);
    expect(callError(told(), { ...CONTEXT, attempts }).findDetails(QuotaFailureSchema)).toEqual([]);
  });

  test('all providers failed: how many attempts, the last provider, the reasons, each once', () => {
    const attempts = trail(
      { provider: 'openai', outcome: ErrorReason.PROVIDER_UNAVAILABLE },
      { provider: 'openai', outcome: ErrorReason.PROVIDER_UNAVAILABLE },
      { provider: 'anthropic', outcome: ErrorReason.PROVIDER_TIMEOUT },
      { provider: 'ollama', kind: AttemptKind.SKIPPED, outcome: ErrorReason.CIRCUIT_OPEN },
    );
    const error = callError(told({ reason: 'ALL_PROVIDERS_FAILED', contacted: true }), { ...CONTEXT, attempts });
    expect(info(error)?.metadata).toEqual({
      attempts: '3',
      lastProvider: 'anthropic',
      reasons: 'PROVIDER_UNAVAILABLE,PROVIDER_TIMEOUT',
    });
  });

  test('an interrupted stream tells the tokens so far, a deadline whose it was', () => {
    const usage = { inputTokens: 7, outputTokens: 8 };
    const broken = callError(told({ status: 'ABORTED', reason: 'STREAM_INTERRUPTED' }), { ...CONTEXT, usage });
    expect(info(broken)?.metadata).toEqual({ inputTokens: '7', outputTokens: '8' });
    const late = told({ status: 'DEADLINE_EXCEEDED', reason: 'DEADLINE' });
    expect(info(callError(late, { ...CONTEXT, remainingMs: 0 }))?.metadata).toEqual({ which: 'caller' });
    expect(info(callError(late, CONTEXT))?.metadata).toEqual({ which: 'gateway' });
  });
});

describe('size', () => {
  const long = 'x'.repeat(400);
  const attempts = trail(
    ...Array.from({ length: 32 }, (_, index) => ({
      kind: index % 4 === 3 ? AttemptKind.SKIPPED : AttemptKind.FAILOVER,
      target: `target-${index}`,
      model: long,
      provider: 'openai',
      outcome: ErrorReason.PROVIDER_UNAVAILABLE,
    })),
  );
  const violations = Array.from({ length: 20 }, (_, index) => ({
    field: `messages[${index}]${'y'.repeat(110)}`,
    description: long,
  }));

  test('32 attempts, 20 violations and a long message stay below 6 KiB of base64', () => {
    const error = callError(told({ reason: 'ALL_PROVIDERS_FAILED', message: '€'.repeat(2000) }), {
      ...CONTEXT,
      attempts,
      violations,
    });
    const bytes = encodeStatus(error.code, error.rawMessage, error.details);
    expect(Buffer.from(bytes).toString('base64').length).toBeLessThan(6 * 1024);
    const status = fromBinary(StatusSchema, bytes);
    expect(Buffer.byteLength(status.message)).toBeLessThanOrEqual(1024);
    const [detail] = status.details;
    expect(detail && anyUnpack(detail, ErrorInfoSchema)).toMatchObject({ metadata: { attempts: '24' } });
    expect(error.findDetails(BadRequestSchema)[0]?.fieldViolations.length).toBeGreaterThan(0);
  });

  test('the trail keeps 12 attempts, without the skips, the first and the last ones among them', () => {
    const short = trail(...attempts.map(({ kind, target }) => ({ kind, target })));
    const [kept] = callError(told(), { ...CONTEXT, attempts: short }).findDetails(AttemptTrailSchema);
    const numbers = kept?.attempts.map((attempt) => attempt.number);
    expect(numbers).toHaveLength(12);
    expect(numbers?.[0]).toBe(1);
    expect(numbers?.slice(-3)).toEqual([29, 30, 31]);
    expect(kept?.attempts.some((attempt) => attempt.kind === AttemptKind.SKIPPED)).toBe(false);
  });

  test('a message is cut to 1 KiB between characters', () => {
    const error = callError(told({ message: '€'.repeat(1000) }), CONTEXT);
    expect(error.rawMessage).toBe('€'.repeat(341));
  });
});

test('what is thrown is told only where it was made to be told', () => {
  const leaked = callError(unexpected(new Error('sk-secret'), false), CONTEXT);
  expect(leaked.code).toBe(Code.Internal);
  expect(leaked.rawMessage).toBe('The gateway failed.');
  expect(info(leaked)?.reason).toBe('INTERNAL');
  const made = new FailureError({ class: 'capability', reason: 'CONTEXT_LENGTH_EXCEEDED', message: 'too long' });
  expect(callError(unexpected(made, true), CONTEXT)).toMatchObject({
    rawMessage: 'too long',
    code: Code.InvalidArgument,
  });
});
