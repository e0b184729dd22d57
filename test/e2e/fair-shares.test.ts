import { expect, onTestFinished, test } from 'vitest';

import { Health } from '../../gen/grpc/health/v1/health_pb.ts';
import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import type { ConfigInput } from '../../src/config/file/schema.ts';
import type { System } from '../../src/core/ports.ts';
import type { RunningGateway } from '../support/gateway-doors.ts';
import { startGateway } from '../support/gateway-doors.ts';
import type { RpcClient, RpcStream } from '../support/rpc-client.ts';
import { openRpcClient } from '../support/rpc-client.ts';
import { rpcError } from '../support/rpc-error.ts';

const STALLING = { prompt: 'hello', model: 'mock-stall' } as const;

async function running(admission: ConfigInput['admission'], changes: Partial<System> = {}): Promise<RunningGateway> {
  const targets = [{ name: 'mock', provider: 'mock', model: 'mock-ok' } as const];
  const gateway = await startGateway({ targets, admission }, changes);
  onTestFinished(() => gateway.close());
  return gateway;
}

/** A connection of its own, closed with the test. */
function connection({ address }: RunningGateway): RpcClient {
  const client = openRpcClient(address);
  onTestFinished(() => client.close());
  return client;
}

function chatOf(model: string) {
  return { messages: [{ role: Role.USER, content: [{ part: { case: 'text', value: 'hello' } as const }] }], model };
}

function hold(client: RpcClient, count: number): readonly RpcStream<unknown>[] {
  return Array.from({ length: count }, () => client.stream(LlmService.method.streamChat, chatOf('mock-stall')));
}

test('a connection with 1,000 streams that do not end leaves room for 58 calls of others, all of which get through', async () => {
  const gateway = await running({ max_active: 1_000 });
  const streams = hold(connection(gateway), 1_000);
  await Promise.all(streams.slice(0, 800).map((stream) => stream.at(0)));
  const others = await Promise.all(
    Array.from({ length: 28 }, () => {
      const client = connection(gateway);
      return Promise.all([
        client.call(LlmService.method.chat, chatOf('mock-ok'), { deadlineMs: 60_000 }),
        client.stream(LlmService.method.streamChat, chatOf('mock-ok'), { deadlineMs: 60_000 }).done,
      ]);
    }),
  );
  const web = await Promise.all(
    Array.from({ length: 2 }, () =>
      fetch(`${gateway.web}/${LlmService.typeName}/Generate`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ prompt: 'hello' }),
      }).then(({ status }) => status),
    ),
  );
  expect(others).toHaveLength(28);
  expect(web).toEqual([200, 200]);
  // What the greedy connection got beyond its share has been told so by now; what it holds it keeps.
  expect(await rpcError(streams[999]?.done ?? Promise.reject(new Error('no such stream')))).toMatchObject({
    code: 'UNAVAILABLE',
    reason: 'OVERLOADED',
  });
  expect(gateway.load()).toMatchObject({ active: 800, refused: { overloaded: 0, queue_full: 0 } });
});

test('unary calls and streams of one connection count as one caller, those of another as another', async () => {
  const gateway = await running({ max_active: 4, max_queued: 0, max_share: 50 });
  const greedy = connection(gateway);
  await Promise.all(hold(greedy, 2).map((stream) => stream.at(0)));
  const refused = await rpcError(greedy.call(LlmService.method.generate, { prompt: 'hello' }));
  expect(refused).toMatchObject({ code: 'UNAVAILABLE', reason: 'OVERLOADED' });
  const other = connection(gateway);
  const held = new AbortController();
  const whole = other.call(LlmService.method.generate, STALLING, { signal: held.signal });
  const { text } = await connection(gateway).call(LlmService.method.generate, { prompt: 'hello' });
  expect(text).not.toBe('');
  held.abort();
  expect(await rpcError(whole)).toMatchObject({ code: 'CANCELLED' });
});

test('callers over HTTP/1.1 count by their address, however many connections they open', async () => {
  const gateway = await running({ max_active: 4, max_queued: 0, max_share: 50 });
  const abort = new AbortController();
  const post = (body: object): Promise<number> =>
    fetch(`${gateway.web}/${LlmService.typeName}/Generate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: abort.signal,
    }).then(({ status }) => status);
  const held = [post(STALLING), post(STALLING)];
  for (let active = 0; active < 2;) {
    ({ active } = gateway.load());
    await new Promise(setImmediate);
  }
  expect(await post({ prompt: 'hello' })).toBe(503);
  expect((await gateway.client.call(LlmService.method.generate, { prompt: 'hello' })).text).not.toBe('');
  abort.abort();
  expect((await Promise.allSettled(held)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});

test('a connection watches health twenty times at most, and may go on without where it wants more', async () => {
  const gateway = await running({});
  const client = connection(gateway);
  const watch = (): RpcStream<unknown> => client.stream(Health.method.watch, { service: '' });
  const watching = Array.from({ length: 20 }, watch);
  await Promise.all(watching.map((stream) => stream.at(0)));
  expect(await rpcError(watch().done)).toMatchObject({ code: 'UNIMPLEMENTED' });
  expect(await client.call(Health.method.check, { service: '' })).toMatchObject({ status: 1 });
  await connection(gateway).stream(Health.method.watch, { service: '' }).at(0);
  watching[0]?.cancel();
  await rpcError(watching[0]?.done ?? Promise.resolve());
  // The place is free as soon as the gateway has heard of it, which nobody is told.
  let again = watch();
  while (
    await again.at(0).then(
      () => false,
      () => true,
    )
  )
    again = watch();
  expect(again.received).toHaveLength(1);
});

test('readiness turns where no caller finds a slot, and not where one has used its share up', async () => {
  let passedMs = 0;
  const gateway = await running({ max_active: 4, max_share: 50 }, { now: () => passedMs });
  const ready = async (): Promise<number> => (await fetch(`${gateway.web}/readyz`)).status;
  const greedy = hold(connection(gateway), 2);
  await Promise.all(greedy.map((stream) => stream.at(0)));
  passedMs += 2_000;
  expect(await ready()).toBe(200);
  const others = [hold(connection(gateway), 1), hold(connection(gateway), 1)].flat();
  await Promise.all(others.map((stream) => stream.at(0)));
  expect(gateway.load().active).toBe(4);
  expect(await ready()).toBe(200);
  passedMs += 1_000;
  expect(await ready()).toBe(503);
  expect((await fetch(`${gateway.web}/livez`)).status).toBe(200);
  expect(await gateway.client.call(Health.method.check, { service: 'readiness' })).toMatchObject({ status: 2 });
  expect(await gateway.client.call(Health.method.check, { service: '' })).toMatchObject({ status: 1 });
  others[0]?.cancel();
  while (gateway.load().active > 3) await new Promise(setImmediate);
  expect(await ready()).toBe(200);
});
