import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { RequestInfoSchema } from '../../../gen/google/rpc/error_details_pb.ts';
import { Role } from '../../../gen/understudy/v1/chat_pb.ts';
import { HealthStatus } from '../../../gen/understudy/v1/health_pb.ts';
import { GenerateRequestSchema, ListModelsRequestSchema, ModelSchema } from '../../../gen/understudy/v1/llm_pb.ts';
import { AttemptTrailSchema } from '../../../gen/understudy/v1/routing_pb.ts';
import type { GatewayPort } from '../../../src/server/port/gateway-port.ts';
import { createHandlers } from '../../../src/server/handlers/rpc-handlers.ts';
import { TIME_LEFT } from '../../../src/server/handlers/run-request.ts';
import {
  attempt,
  failed,
  failure,
  fakeGateway,
  fakePlan,
  success,
  targetHealth,
  untilAborted,
} from '../support/fake-gateway.ts';
import { context, errorOf, handlersOf, reasonOf } from '../support/handler-calls.ts';
import { chat } from '../support/requests.ts';

describe('Generate and Chat', () => {
  test('the time that a door says is left counts, not that of the wall clock', async () => {
    const { gateway, handlers } = handlersOf(() => Promise.resolve(success()));
    const own = { ...context(), protocolName: 'connect' };
    own.values.set(TIME_LEFT, () => 1_234);
    await handlers.chat(chat(), own);
    expect(gateway.calls[0]?.timeoutMs).toBe(1_234);
  });

  test('Generate is a conversation of system and user', async () => {
    const { gateway, handlers } = handlersOf(() => Promise.resolve(success([{ kind: 'text', index: 0, text: 'hi' }])));
    const request = create(GenerateRequestSchema, {
      prompt: 'hello',
      system: 'be brief',
      model: 'm',
      routing: { route: 'r' },
    });
    expect(await handlers.generate(request, context())).toMatchObject({ text: 'hi' });
    expect(gateway.plans[0]?.streams).toBe(false);
    expect(gateway.plans[0]?.request).toMatchObject({
      messages: [
        { role: Role.SYSTEM, content: [{ part: { case: 'text', value: 'be brief' } }] },
        { role: Role.USER, content: [{ part: { case: 'text', value: 'hello' } }] },
      ],
      model: 'm',
      routing: { route: 'r' },
      tools: [],
    });
    await handlers.generate(create(GenerateRequestSchema, { prompt: 'hello' }), context());
    expect(gateway.plans[1]?.request.messages).toHaveLength(1);
  });

  test('the id comes back in the response, in its headers, and in the details of an error', async () => {
    const { handlers } = handlersOf(() => Promise.resolve(success()));
    const own = context({ 'x-request-id': 'from-header' });
    expect(await handlers.chat(chat({ requestId: 'from-field' }), own)).toMatchObject({ requestId: 'from-field' });
    expect(own.responseHeader.get('x-request-id')).toBe('from-field');
    expect(await handlers.chat(chat(), context({ 'x-request-id': 'from-header' }))).toMatchObject({
      requestId: 'from-header',
    });
    expect(await handlers.chat(chat(), context())).toMatchObject({ requestId: 'made-here' });
    const error = await errorOf(handlers.chat(chat({ messages: [] }), context({ 'x-request-id': 'from-header' })));
    expect(error.findDetails(RequestInfoSchema)[0]?.requestId).toBe('from-header');
    expect(error.metadata.get('x-request-id')).toBe('from-header');
  });

  test('an invalid request reaches neither plan nor engine, and is told of once', async () => {
    const { gateway, handlers } = handlersOf(() => Promise.resolve(success()));
    const error = await errorOf(handlers.chat(chat({ messages: [] }), context()));
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.metadata.get('grpc-retry-pushback-ms')).toBeNull();
    expect([gateway.plans, gateway.calls]).toEqual([[], []]);
    expect(gateway.ends).toMatchObject([
      { method: 'Chat', result: { ok: false, failure: { reason: 'INVALID_REQUEST' } } },
    ]);
  });

  test('a plan that fails contacts nobody', async () => {
    const refused = failure({
      class: 'bad_request',
      reason: 'MODEL_NOT_FOUND',
      message: 'no such model',
      field: 'model',
    });
    const { gateway, handlers } = handlersOf(() => Promise.resolve(success()), { plan: () => refused });
    const error = await errorOf(handlers.chat(chat(), context()));
    expect([error.code, reasonOf(error)]).toEqual([Code.NotFound, 'MODEL_NOT_FOUND']);
    expect(gateway.calls).toEqual([]);
  });

  test('a failed call tells its trail and forbids a repeat', async () => {
    const { gateway, handlers } = handlersOf(() => Promise.resolve(failed({}, [attempt({ failure: failure() })])));
    const error = await errorOf(handlers.chat(chat(), context()));
    expect([error.code, reasonOf(error)]).toEqual([Code.Unavailable, 'ALL_PROVIDERS_FAILED']);
    expect(error.findDetails(AttemptTrailSchema)[0]?.attempts).toHaveLength(1);
    expect(error.metadata.get('grpc-retry-pushback-ms')).toBe('-1');
    expect(gateway.ends).toMatchObject([{ trail: { cost: { nanoUsd: 1_000_000n } } }]);
  });

  const leak = (): never => {
    throw new Error('sk-secret');
  };

  test.each([
    ['plan', { plan: leak }],
    ['run', { run: () => Promise.reject(new Error('sk-secret')) }],
    ['account', { plan: () => fakePlan({ account: leak }) }],
    ['warnings', { plan: () => fakePlan({ warnings: leak }) }],
  ] satisfies [string, Partial<GatewayPort>][])('what %s throws is INTERNAL and stays here', async (_, changes) => {
    const { handlers } = handlersOf(() => Promise.resolve(success()), changes);
    const error = await errorOf(handlers.chat(chat(), context()));
    expect([error.code, reasonOf(error), error.rawMessage]).toEqual([Code.Internal, 'INTERNAL', 'The gateway failed.']);
  });

  test('the deadline goes to the engine; where it ends the call, that is what is told', async () => {
    const { gateway, handlers } = handlersOf(untilAborted);
    const own = context({}, 60_000);
    const answer = errorOf(handlers.chat(chat(), own));
    own.abort(new ConnectError('late', Code.DeadlineExceeded));
    expect([(await answer).code, reasonOf(await answer)]).toEqual([Code.DeadlineExceeded, 'DEADLINE']);
    expect(gateway.calls[0]?.timeoutMs).toBeGreaterThan(59_000);
    const none = context();
    const gone = errorOf(handlers.chat(chat(), none));
    none.abort();
    expect(await gone).toMatchObject({ code: Code.Canceled, details: [] });
    expect(gateway.calls[1]?.timeoutMs).toBeUndefined();
  });

  test('a draining server refuses new calls, and they may be repeated elsewhere', async () => {
    const gateway = fakeGateway(() => Promise.resolve(success()));
    const handlers = createHandlers(gateway, { random: () => 0, isAccepting: () => false });
    const error = await errorOf(handlers.chat(chat(), context()));
    expect([error.code, reasonOf(error)]).toEqual([Code.Unavailable, 'SHUTTING_DOWN']);
    expect(error.metadata.get('grpc-retry-pushback-ms')).toBe('10');
    expect(gateway.calls).toEqual([]);
  });
});

describe('Health and ListModels', () => {
  test('Health tells the targets and their sum', async () => {
    const targets = [
      targetHealth({ successRate: 0.5, requests: 4, failures: 2, tokensUsed: 9, lastError: 'PROVIDER_TIMEOUT' }),
      targetHealth({
        target: 'b',
        available: false,
        circuit: 'OPEN',
        circuits: [{ model: 'm', state: 'OPEN', reopensInMs: 1500 }],
      }),
    ];
    const { handlers } = handlersOf(untilAborted, {
      targets: () => targets,
      costOfTarget: (name) => (name === 'b' ? 5n : undefined),
    });
    const response = await handlers.health({ $typeName: 'understudy.v1.HealthRequest' }, context());
    expect(response).toMatchObject({
      status: HealthStatus.DEGRADED,
      version: '0.0.0-test',
      uptime: { seconds: 1n, nanos: 500_000_000 },
      providers: [
        { target: 'lead', healthy: true, successRate: 0.5, requests: 4n, failures: 2n, tokensUsed: 9n, lastError: 25 },
        {
          target: 'b',
          healthy: false,
          circuit: 3,
          circuits: [{ model: 'm', state: 3, reopensIn: { seconds: 1n } }],
          costNanoUsd: 5n,
        },
      ],
    });
    expect(response.providers?.[0]?.costNanoUsd).toBeUndefined();
    expect(response.providers?.[0]?.averageLatencyMs).toBeUndefined();
  });

  test('ListModels pages through the models of all targets or of one', async () => {
    const models = ['a', 'b', 'c'].map((id) => create(ModelSchema, { id, target: id === 'c' ? 'other' : 'lead' }));
    const targets = [targetHealth(), targetHealth({ target: 'other' })];
    const { handlers } = handlersOf(untilAborted, { models: () => Promise.resolve(models), targets: () => targets });
    const list = async (init: { pageSize?: number; pageToken?: string; target?: string }) =>
      handlers.listModels(create(ListModelsRequestSchema, init), context());
    const ids = (page: { models?: { id?: string }[] }) => page.models?.map((model) => model.id);
    const first = await list({ pageSize: 2 });
    expect(ids(first)).toEqual(['a', 'b']);
    const second = await list({ pageSize: 2, pageToken: first.nextPageToken ?? '' });
    expect([ids(second), second.nextPageToken]).toEqual([['c'], '']);
    expect(ids(await list({ target: 'other' }))).toEqual(['c']);
    expect((await list({})).nextPageToken).toBe('');
    expect((await errorOf(list({ pageToken: 'x' }))).code).toBe(Code.InvalidArgument);
    expect((await errorOf(list({ pageSize: -1 }))).code).toBe(Code.InvalidArgument);
    const unknown = await errorOf(list({ target: 'nobody' }));
    expect([unknown.code, reasonOf(unknown)]).toEqual([Code.NotFound, 'TARGET_NOT_FOUND']);
  });
});
