import { ConnectError } from '@connectrpc/connect';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';

import { createGateway } from '../src/index.ts';
import type { GatewayOptions } from '../src/index.ts';
import { BadRequestSchema, ErrorInfoSchema } from '../gen/google/rpc/error_details_pb.ts';
import { CircuitState } from '../gen/understudy/v1/health_pb.ts';
import { WarningCode } from '../gen/understudy/v1/routing_pb.ts';
import { say } from './support/chat-samples.ts';
import { Role } from '../gen/understudy/v1/chat_pb.ts';

function open(options: GatewayOptions) {
  const gateway = createGateway(options);
  onTestFinished(() => gateway.close());
  return gateway;
}

const target = (name: string, model: string) => ({ name, provider: 'mock' as const, model });

test('a gateway with another configuration goes on from what the one before it knew of its targets', async () => {
  const retry = { max_repeats: 0 };
  const first = open({ config: { targets: [target('sick', 'mock-500'), target('gone', 'mock-500')], retry } });
  for (let call = 0; call < 5; call++) {
    await expect(first.generate({ prompt: 'Hello' })).rejects.toMatchObject({ code: 14 });
  }
  const snapshot = JSON.parse(JSON.stringify(first.snapshot())) as ReturnType<typeof first.snapshot>;
  await first.close();

  const targets = [target('sick', 'mock-500'), target('new', 'mock-ok')];
  const second = open({ config: { targets, retry }, snapshot });
  const { providers } = await second.health();
  expect(providers.map(({ target: name, circuit }) => [name, circuit])).toEqual([
    ['sick', CircuitState.OPEN],
    ['new', CircuitState.CLOSED],
  ]);
  const answer = await second.generate({ prompt: 'Hello' });
  expect(answer.attempts.map(({ target: name, kind }) => [name, kind])).toEqual([
    ['sick', 7],
    ['new', 1],
  ]);
});

test('what was known of a model is of no account where the configuration names another in its place', async () => {
  const retry = { max_repeats: 0 };
  const first = open({ config: { targets: [target('sick', 'mock-500')], retry } });
  for (let call = 0; call < 5; call++) {
    await expect(first.generate({ prompt: 'Hello' })).rejects.toMatchObject({ code: 14 });
  }
  const snapshot = first.snapshot();
  expect(snapshot).toMatchObject([{ circuits: [{ circuit: 'mock-500', breaker: { state: 'OPEN' } }] }]);

  const second = open({ config: { targets: [target('sick', 'mock-ok')], retry }, snapshot });
  expect((await second.health()).providers).toMatchObject([{ healthy: true, circuit: CircuitState.CLOSED }]);
});

test('a gateway within a program takes no callers, whom it would hold to nothing', () => {
  const callers = [{ name: 'billing', api_keys: [{ sha256: 'a'.repeat(64) }] }];
  expect(() => createGateway({ config: { callers } })).toThrow(/callers: callers are known at the doors/);
});

/** What a call ends with: its code and reason, and the fields that it names. */
async function errorOf(call: Promise<unknown>): Promise<readonly unknown[]> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ConnectError)) throw new Error('the call ended without a status', { cause: error });
  const fields = error.findDetails(BadRequestSchema).flatMap(({ fieldViolations }) => fieldViolations);
  return [error.code, error.findDetails(ErrorInfoSchema)[0]?.reason, ...fields.map(({ field }) => field)];
}

async function all(stream: AsyncIterable<unknown>): Promise<readonly unknown[]> {
  const events: unknown[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

const hello = { messages: [say(Role.USER, 'Hello')] };
const INVALID = [3, 'INVALID_REQUEST'];

describe('the deadline of a call within the process', () => {
  const gateway = createGateway({ config: { targets: [target('only', 'mock-ok')] } });
  const { generate, streamChat } = gateway;
  afterAll(() => gateway.close());

  test.each([2 ** 31 - 1, 2 ** 31, 1e12, Number.MAX_VALUE, Infinity])(
    'of %d ms is the longest one',
    async (timeoutMs) => {
      const { warnings } = await generate({ prompt: 'Hello' }, { timeoutMs });
      expect(warnings.map(({ code }) => code)).toEqual([WarningCode.DEADLINE_CLAMPED]);
      expect(await all(streamChat(hello, { timeoutMs }))).not.toEqual([]);
    },
  );

  test.each([0, -0, undefined])('of %d is none', async (timeoutMs) => {
    const { warnings } = await generate({ prompt: 'Hello' }, { timeoutMs });
    expect(warnings).toEqual([]);
  });

  test.each([-1, -Infinity, Number.NaN, '5' as never, null as never, 5n as never])('is not %s', async (timeoutMs) => {
    expect(await errorOf(generate({ prompt: 'Hello' }, { timeoutMs }))).toEqual([...INVALID, 'timeoutMs']);
    expect(await errorOf(all(streamChat(hello, { timeoutMs })))).toEqual([...INVALID, 'timeoutMs']);
  });

  test('ends the call where it is over', async () => {
    const silent = open({ config: { targets: [target('only', 'mock-silence')] } });
    expect(await errorOf(silent.generate({ prompt: 'Hello' }, { timeoutMs: 20.5 }))).toEqual([4, 'DEADLINE']);
  });
});

describe('a call within the process that the types would not allow', () => {
  const gateway = createGateway({ config: { targets: [target('only', 'mock-ok')] } });
  afterAll(() => gateway.close());
  // As a program in JavaScript calls it.
  const untyped = (value: unknown): never => value as never;

  test.each<[string, unknown, unknown, readonly string[]]>([
    ['no request', undefined, undefined, ['request']],
    ['a text as request', 'Hello', undefined, ['request']],
    ['texts as numbers', { ...hello, options: { maxTokens: '5' } }, undefined, ['options.max_tokens']],
    ['a text as messages', { messages: 'Hello' }, undefined, ['messages']],
    ['several', { model: 1, options: { seed: 1 } }, { timeoutMs: 'x' }, ['model', 'options.seed', 'timeoutMs']],
    ['no options', hello, null, ['options']],
    ['a signal that is none', hello, { signal: {} }, ['signal']],
  ])('is INVALID_ARGUMENT with its fields: %s', async (_, request, options, fields) => {
    expect(await errorOf(gateway.chat(untyped(request), untyped(options)))).toEqual([...INVALID, ...fields]);
    const stream = gateway.streamChat(untyped(request), untyped(options));
    expect(await errorOf(all(stream))).toEqual([...INVALID, ...fields]);
  });

  test('is so for every method', async () => {
    expect(await errorOf(gateway.generate(untyped({ prompt: 5 })))).toEqual([...INVALID, 'prompt']);
    expect(await errorOf(gateway.listModels(untyped({ pageSize: '5' })))).toEqual([...INVALID, 'page_size']);
  });

  test('is held to what the fields mean as well', async () => {
    const request = { ...hello, options: { temperature: 9, providerOptions: { openai: { seed: 2 ** 60 } } } };
    const fields = ['options.temperature', 'options.provider_options["openai"]["seed"]'];
    expect(await errorOf(gateway.chat(request))).toEqual([...INVALID, ...fields]);
  });
});

describe('close', () => {
  const SHUTTING_DOWN = [14, 'SHUTTING_DOWN'];

  test('ends calls under way as SHUTTING_DOWN', async () => {
    const gateway = open({ config: { targets: [target('silent', 'mock-silence'), target('stalled', 'mock-stall')] } });
    const whole = errorOf(gateway.generate({ prompt: 'Hello' }, { timeoutMs: 60_000 }));
    const silent = errorOf(all(gateway.streamChat(hello)));
    const stalled = gateway.streamChat({ ...hello, routing: { targets: ['stalled'] } });
    expect((await stalled.next()).done).toBe(false);
    const rest = errorOf(all(stalled));
    await gateway.close();
    expect(await Promise.all([whole, silent, rest])).toEqual([SHUTTING_DOWN, SHUTTING_DOWN, SHUTTING_DOWN]);
  });

  test('refuses what comes behind it, and may be called again', async () => {
    const gateway = open({ config: { targets: [target('only', 'mock-ok')] } });
    await gateway.close();
    await gateway.close();
    expect(await errorOf(gateway.generate({ prompt: 'Hello' }))).toEqual(SHUTTING_DOWN);
    expect(await errorOf(all(gateway.streamChat(hello)))).toEqual(SHUTTING_DOWN);
  });

  test('lets calls under way end within its grace, and takes no longer than they do', async () => {
    const gateway = open({ config: { targets: [target('slow', 'mock-slow')] } });
    const under = gateway.generate({ prompt: 'Hello' });
    const closed = gateway.close({ graceMs: Infinity });
    expect(await errorOf(gateway.generate({ prompt: 'Hello' }))).toEqual(SHUTTING_DOWN);
    expect((await under).text).not.toBe('');
    await closed;
  });

  test('ends what its grace leaves', async () => {
    const gateway = open({ config: { targets: [target('silent', 'mock-silence')] } });
    const under = errorOf(gateway.generate({ prompt: 'Hello' }));
    await gateway.close({ graceMs: 20 });
    expect(await under).toEqual(SHUTTING_DOWN);
  });
});
