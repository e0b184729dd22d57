import { type DescMessage, create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { afterEach, describe, expect, it } from 'vitest';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RequestInfoSchema,
  RetryInfoSchema,
} from '../gen/google/rpc/error_details_pb.js';
import {
  AttemptKind,
  AttemptTrailSchema,
  Code,
  ConnectError,
  createLlmClient,
  type DecodedError,
  decodeError,
  ErrorReason,
} from '../src/index.ts';
import { detail, startGateway, StatusError } from './support/gateway.ts';

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0).toReversed()) close();
});

/** What a client decodes of an error that a server sends, before or after response headers. */
async function decodeSent(error: StatusError, headersFirst = false): Promise<DecodedError> {
  const gateway = await startGateway({
    chat: (call) => {
      if (headersFirst) call.sendMetadata(error.metadata.clone());
      throw error;
    },
  });
  const client = createLlmClient(gateway.address, { maxRetries: 0 });
  closers.push(gateway.close, client.close);
  return decodeError(await client.chat({}).catch((caught: unknown) => caught));
}

function info(reason: string, domain = 'understudy') {
  return detail(ErrorInfoSchema, { reason, domain, metadata: { attempts: '2' } });
}

function trail(...kinds: AttemptKind[]) {
  return detail(AttemptTrailSchema, { attempts: kinds.map((kind, index) => ({ number: index + 1, kind })) });
}

describe('an error of the gateway', () => {
  const details = [
    info('ALL_PROVIDERS_FAILED'),
    detail(RequestInfoSchema, { requestId: 'r-1' }),
    detail(RetryInfoSchema, { retryDelay: { seconds: 1n, nanos: 500_000_000 } }),
    detail(QuotaFailureSchema, {
      violations: [{ subject: 'target:openai', description: 'the provider limits the rate' }],
    }),
    detail(AttemptTrailSchema, {
      attempts: [{ number: 1, kind: AttemptKind.FIRST, target: 'openai', outcome: ErrorReason.PROVIDER_RATE_LIMITED }],
    }),
  ];

  it.each([false, true])('is read whole (headers first: %s)', async (headersFirst) => {
    const error = new StatusError(Code.ResourceExhausted, 'every provider failed', details);
    expect(await decodeSent(error, headersFirst)).toMatchObject({
      code: Code.ResourceExhausted,
      reason: 'ALL_PROVIDERS_FAILED',
      message: 'every provider failed',
      domain: 'understudy',
      metadata: { attempts: '2' },
      retryAfterMs: 1500,
      mayRetry: false,
      violations: [],
      quotaViolations: [{ subject: 'target:openai', description: 'the provider limits the rate' }],
      requestId: 'r-1',
      attempts: [{ number: 1, target: 'openai', outcome: ErrorReason.PROVIDER_RATE_LIMITED }],
    });
  });

  it('names the fields of a bad request', async () => {
    const fieldViolations = [
      { field: 'messages', description: 'must not be empty' },
      { field: 'options.temperature', description: 'must be 0 to 2' },
    ];
    const error = new StatusError(Code.InvalidArgument, 'the request is invalid', [
      info('INVALID_REQUEST'),
      detail(BadRequestSchema, { fieldViolations }),
    ]);
    const decoded = await decodeSent(error);
    expect(decoded.violations).toEqual(fieldViolations);
    expect(decoded.mayRetry).toBe(false);
  });

  it.each([
    ['a pushback of 250', '250', 'SHUTTING_DOWN', true, 250],
    ['a pushback of 0', '0', 'ALL_PROVIDERS_FAILED', true, 0],
    ['a pushback of -1', '-1', 'CIRCUIT_OPEN', false, undefined],
    ['a pushback that is no number', 'soon', 'CIRCUIT_OPEN', false, undefined],
  ])('%s decides about a repeat', async (_name, pushback, reason, mayRetry, retryAfterMs) => {
    const error = new StatusError(Code.Unavailable, '', [info(reason)], { 'grpc-retry-pushback-ms': pushback });
    expect(await decodeSent(error)).toMatchObject({ reason, mayRetry, retryAfterMs });
  });

  it.each([
    ['CIRCUIT_OPEN without a trail', [info('CIRCUIT_OPEN')], true],
    ['OVERLOADED after skipped targets', [info('OVERLOADED'), trail(AttemptKind.SKIPPED)], true],
    ['OVERLOADED after an attempt', [info('OVERLOADED'), trail(AttemptKind.SKIPPED, AttemptKind.FIRST)], false],
    ['SHUTTING_DOWN, which may have asked a provider', [info('SHUTTING_DOWN')], false],
    ['the same reason of another domain', [info('CIRCUIT_OPEN', 'proxy.example')], false],
    ['UNAVAILABLE without details', [], false],
  ])('without a pushback, %s: the repeat is safe only where no provider was asked', async (_name, sent, mayRetry) => {
    const error = new StatusError(Code.Unavailable, 'down', sent);
    expect((await decodeSent(error)).mayRetry).toBe(mayRetry);
  });

  it('is preferred to that of a proxy', async () => {
    const error = new StatusError(Code.Unavailable, '', [info('PROXY', 'proxy.example'), info('OVERLOADED')]);
    expect(await decodeSent(error)).toMatchObject({ reason: 'OVERLOADED', domain: 'understudy' });
  });

  it('has the id of the request from the metadata where the details lack it', async () => {
    const error = new StatusError(Code.Unavailable, '', [], { 'x-request-id': 'r-2' });
    expect((await decodeSent(error)).requestId).toBe('r-2');
  });

  it('with a detail that cannot be parsed keeps the others', async () => {
    const broken = { ...info('X'), value: new Uint8Array([255]) };
    const error = new StatusError(Code.Unavailable, 'm', [broken, detail(RequestInfoSchema, { requestId: 'r-3' })]);
    expect(await decodeSent(error)).toMatchObject({ reason: '', message: 'm', requestId: 'r-3' });
  });
});

describe('an error that no gateway sent', () => {
  it('may be repeated where nobody listens', async () => {
    const gateway = await startGateway({});
    gateway.close();
    const client = createLlmClient(gateway.address, { maxRetries: 0 });
    closers.push(client.close);
    const error: unknown = await client.chat({}).catch((caught: unknown) => caught);
    expect(decodeError(error)).toMatchObject({ code: Code.Unavailable, reason: '', mayRetry: true, attempts: [] });
  });

  it('of another copy of Connect is read as one of this copy', () => {
    expect(decodeError(new ForeignConnectError())).toMatchObject({
      code: Code.Unavailable,
      message: 'from elsewhere',
      reason: 'OVERLOADED',
      requestId: 'r-4',
      retryAfterMs: 700,
      mayRetry: true,
    });
  });

  it('with details that were never sent is read too', () => {
    const value = { reason: 'OVERLOADED', domain: 'understudy' };
    const error = new ConnectError('local', Code.Unavailable, undefined, [{ desc: ErrorInfoSchema, value }]);
    expect(decodeError(error)).toMatchObject({ reason: 'OVERLOADED', mayRetry: true });
  });

  it.each([
    ['an abort', new DOMException('stop', 'AbortError'), Code.Canceled],
    ['an Error', new TypeError('x is not a function'), Code.Unknown],
    ['a text', 'oops', Code.Unknown],
    ['nothing', undefined, Code.Unknown],
    ['a symbol', Symbol('s'), Code.Unknown],
    ['an object without a prototype', Object.create(null), Code.Unknown],
    ['an error that imitates one of Connect', imitation(), Code.Unknown],
  ])('%s is decoded without throwing', (_name, error: unknown, code) => {
    expect(decodeError(error)).toMatchObject({ code, reason: '', mayRetry: false, violations: [], requestId: '' });
  });
});

/** As a second copy of Connect makes it: nothing of it is an instance of this copy's classes. */
class ForeignConnectError extends Error {
  override readonly name = 'ConnectError';
  override readonly cause = undefined;
  readonly rawMessage = 'from elsewhere';
  readonly code = 14;
  readonly metadata = new Headers({ 'grpc-retry-pushback-ms': '700' });
  readonly details = [
    received(ErrorInfoSchema, { reason: 'OVERLOADED', domain: 'understudy' }),
    received(RequestInfoSchema, { requestId: 'r-4' }),
  ];
}

function received<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>) {
  return { type: schema.typeName, value: toBinary(schema, create(schema, init)) };
}

function imitation(): Error {
  return Object.assign(new Error('x'), {
    name: 'ConnectError',
    code: 14,
    rawMessage: 'x',
    metadata: {},
    details: [null],
  });
}
