import { expect, onTestFinished, test } from 'vitest';

import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import type { Caller } from '../../src/callers/port/caller.ts';
import { budgetRace } from '../support/budget-race.ts';
import { accountOf, callerOf, CENT, cents } from '../support/caller-accounts.ts';
import { type RunningGateway, startGateway } from '../support/gateway-doors.ts';
import { rpcError, trailOf } from '../support/rpc-error.ts';

/** So that an answer of the mock, some thirty tokens, costs about a cent. */
const PRICES = ['mock-ok', 'mock-500', 'mock-stall', 'mock-slow'].map((model) => ({
  model,
  input: '1',
  output: '333',
}));

async function running(...callers: readonly Caller[]): Promise<RunningGateway> {
  const mock = { name: 'mock', provider: 'mock', model: 'mock-ok', prices: PRICES } as const;
  const free = { name: 'unpriced', provider: 'openai', model: 'no-such-model', mock: true } as const;
  const other = { name: 'other', provider: 'mock', model: 'mock-ok', prices: PRICES } as const;
  const routes = [
    { name: 'default', targets: ['mock'] },
    { name: 'failing', targets: ['mock/mock-500', 'other'] },
    { name: 'priceless', targets: ['unpriced', 'other'] },
    { name: 'only-priceless', targets: ['unpriced'] },
  ];
  const gateway = await startGateway({ targets: [mock, free, other], routes }, {}, callers);
  onTestFinished(() => gateway.close());
  return gateway;
}

test.each([
  [undefined, 'unbounded', false],
  [40, 'bounded', false],
  [undefined, 'unbounded', true],
  [40, 'bounded', true],
])(
  '200 callers of one key at once spend what a budget has and no more (max_tokens %s, %s, again and again: %s)',
  async (maxTokens, _, untilRefused) => {
    const { client } = await running(callerOf('billing', { budgets: [cents(100)] }));
    const { spentNanoUsd, dearestNanoUsd, refused } = await budgetRace([client], 200, untilRefused, { maxTokens });
    expect([...refused.keys()]).toEqual(['RESOURCE_EXHAUSTED BUDGET_EXHAUSTED -1']);
    expect(spentNanoUsd).toBeGreaterThanOrEqual(95n * CENT);
    expect(spentNanoUsd).toBeLessThanOrEqual(100n * CENT + (maxTokens === undefined ? dearestNanoUsd : 0n));
  },
);

test('a group’s budget bounds what its callers spend together', async () => {
  const group = accountOf('group:backend', { budgets: [cents(20)] });
  const of = (name: string): Caller => ({ ...callerOf(name), group: 'backend', accounts: [group] });
  const { client } = await running(of('a'), of('b'));
  const call = (name: string) =>
    client.call(
      LlmService.method.generate,
      { prompt: 'hello', options: { maxTokens: 40 } },
      { metadata: { 'x-request-id': name } },
    );
  let answered = 0;
  for (; answered < 100; answered++) if (!(await call(answered % 2 === 0 ? 'a' : 'b').catch(() => false))) break;
  expect(answered).toBeGreaterThan(5);
  const error = await rpcError(call('b'));
  expect(error.quota[0]).toMatch(/^group:backend: budget of 0\.2 USD per day; renews at \d{4}-\d\d-\d\dT00:00:00Z$/);
});

test('an exhausted budget is told with its name and when it renews, and that a repeat is of no use', async () => {
  const { client } = await running(callerOf('billing', { budgets: [{ nanoUsd: 1n, per: 'month' }] }));
  const error = await rpcError(
    client.call(LlmService.method.generate, { prompt: 'hello', options: { maxTokens: 40 } }),
  );
  expect(error).toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
    reason: 'BUDGET_EXHAUSTED',
    pushback: '-1',
    retryDelayMs: undefined,
    info: { budget: 'caller:billing month', renewsAt: expect.stringMatching(/^\d{4}-\d\d-01T00:00:00Z$/) },
  });
  expect(trailOf(error.trail)).toEqual(['SKIPPED mock BUDGET_EXHAUSTED']);
  const stream = client.stream(LlmService.method.streamChat, {
    messages: [{ role: Role.USER, content: [{ part: { case: 'text', value: 'hello' } }] }],
  });
  expect(await rpcError(stream.done)).toMatchObject({ reason: 'BUDGET_EXHAUSTED', pushback: '-1' });
});

test('a reached limit is told with its name, and when to come again', async () => {
  const { client } = await running(callerOf('billing', { limits: { requestsPerMinute: 2 } }));
  const call = () => client.call(LlmService.method.generate, { prompt: 'hello' });
  await Promise.all([call(), call()]);
  const error = await rpcError(call());
  expect(error).toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
    reason: 'CALLER_RATE_LIMITED',
    quota: ['caller:billing: 2 requests per minute'],
    info: { limit: 'requests_per_minute' },
  });
  expect(error.retryDelayMs).toBeGreaterThan(25_000);
  expect(error.retryDelayMs).toBeLessThanOrEqual(30_000);
  expect(Number(error.pushback)).toBeGreaterThanOrEqual(error.retryDelayMs ?? Infinity);
});

test('a request that no minute has enough tokens for is told so for good', async () => {
  const { client } = await running(callerOf('billing', { limits: { tokensPerMinute: 100 } }));
  const call = client.call(LlmService.method.generate, { prompt: 'hello', options: { maxTokens: 101 } });
  expect(await rpcError(call)).toMatchObject({
    reason: 'CALLER_RATE_LIMITED',
    pushback: '-1',
    retryDelayMs: undefined,
    info: { limit: 'tokens_per_minute' },
  });
});

test('streams at a time are counted until they end, however they end', async () => {
  const { client } = await running(callerOf('billing', { limits: { concurrentCalls: 2 }, budgets: [cents(100)] }));
  const chat = (model: string) =>
    client.stream(LlmService.method.streamChat, {
      messages: [{ role: Role.USER, content: [{ part: { case: 'text', value: 'hello' } }] }],
      model,
    });
  const held = [chat('mock-stall'), chat('mock-stall')];
  await Promise.all(held.map((stream) => stream.at(1)));
  expect(await rpcError(chat('mock-ok').done)).toMatchObject({
    reason: 'CALLER_RATE_LIMITED',
    info: { limit: 'concurrent_calls' },
  });
  for (const stream of held) stream.cancel();
  await Promise.all(held.map((stream) => rpcError(stream.done)));
  for (;;) {
    const answer = await chat('mock-ok').done.catch(() => undefined);
    if (answer !== undefined) break;
  }
});

test('each attempt of a call is paid from the budget', async () => {
  const { client } = await running(callerOf('billing', { budgets: [cents(100)] }));
  const answer = await client.call(LlmService.method.generate, {
    prompt: 'hello',
    routing: { route: 'failing' },
    options: { maxTokens: 40 },
  });
  expect(answer.attempts.length).toBeGreaterThan(1);
  expect(answer.target).toBe('other');
});

test('a model without a price is passed over for who has a budget', async () => {
  const { client } = await running(callerOf('billing', { budgets: [cents(100)] }), callerOf('rich'));
  const ask = (route: string, name = 'billing') =>
    client.call(
      LlmService.method.generate,
      { prompt: 'hello', routing: { route } },
      { metadata: { 'x-request-id': name } },
    );
  expect(trailOf((await ask('priceless')).attempts)).toEqual([
    'SKIPPED unpriced COST_LIMIT_EXCEEDED',
    'FIRST other OK',
  ]);
  expect(await rpcError(ask('only-priceless'))).toMatchObject({
    code: 'INVALID_ARGUMENT',
    reason: 'COST_LIMIT_EXCEEDED',
  });
  expect((await ask('only-priceless', 'rich')).target).toBe('unpriced');
});

test('a caller gets what it may use, and sees nothing else', async () => {
  const { client } = await running(
    { ...callerOf('targets'), targets: new Set(['other']) },
    { ...callerOf('routes'), routes: new Set(['default']) },
  );
  const ask = (name: string, routing: { readonly route?: string; readonly targets?: string[] }, model = '') =>
    client.call(
      LlmService.method.generate,
      { prompt: 'hello', routing, model },
      { metadata: { 'x-request-id': name } },
    );
  expect((await ask('targets', { route: 'failing' })).target).toBe('other');
  expect((await ask('targets', { targets: ['mock', 'other'] })).target).toBe('other');
  const forbidden = { code: 'PERMISSION_DENIED', reason: 'MODEL_FORBIDDEN' };
  expect(await rpcError(ask('targets', {}))).toMatchObject({ ...forbidden, fields: ['routing.route'] });
  expect(await rpcError(ask('targets', { targets: ['mock'] }))).toMatchObject({
    ...forbidden,
    fields: ['routing.targets'],
  });
  expect(await rpcError(ask('routes', { route: 'failing' }))).toMatchObject({
    ...forbidden,
    fields: ['routing.route'],
  });
  expect(await rpcError(ask('routes', { targets: ['other'] }))).toMatchObject({
    ...forbidden,
    fields: ['routing.targets'],
  });
  expect(await rpcError(ask('routes', {}, 'other/mock-ok'))).toMatchObject({ ...forbidden, fields: ['model'] });
  expect((await ask('routes', {})).target).toBe('mock');
  const metadata = { 'x-request-id': 'targets' };
  const { models } = await client.call(LlmService.method.listModels, {}, { metadata });
  expect(new Set(models.map(({ target }) => target))).toEqual(new Set(['other']));
  const { providers } = await client.call(LlmService.method.health, {}, { metadata });
  expect(providers.map(({ target }) => target)).toEqual(['other']);
});
