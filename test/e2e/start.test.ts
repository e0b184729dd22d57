import { createClient } from '@connectrpc/connect';
import type { Transport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { Health, HealthCheckResponse_ServingStatus as Status } from '../../gen/grpc/health/v1/health_pb.ts';
import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import { HealthStatus } from '../../gen/understudy/v1/health_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { chunk, lastChunk } from '../support/chaos-upstream.ts';
import { BEGUN } from '../support/chaos-stage.ts';
import { say } from '../support/chat-samples.ts';
import { configFile } from '../support/config-file.ts';
import { chaosUpstream, chatTarget } from '../support/failover-stage.ts';
import { STREAM_END } from '../support/openai-bodies.ts';
import type { RpcClient } from '../support/rpc-client.ts';
import { openRpcClient } from '../support/rpc-client.ts';
import { RpcError, rpcError } from '../support/rpc-error.ts';
import type { ProcessDoors, UnderstudyProcess } from '../support/understudy-process.ts';
import { startUnderstudy } from '../support/understudy-process.ts';
import { callWithAuthority, get, postJson, sendRaw, streamJson } from '../support/web-calls.ts';
import { textOf } from '../support/stream-text.ts';

const messages = [say(Role.USER, 'Who is there?')];
const ollamaAnswers = await fetch('http://localhost:11434/api/version').then(
  () => true,
  () => false,
);

/** Starts a process that ends with the test. */
function started(args: readonly string[], env: Readonly<Record<string, string>> = {}): UnderstudyProcess {
  const child = startUnderstudy(args, env);
  onTestFinished(() => child.close());
  return child;
}

/** Returns with which status a call fails; undefined where it does not. */
async function codeOf(call: Promise<unknown>): Promise<string | undefined> {
  return call.then(
    () => undefined,
    (error: unknown) => (error instanceof RpcError ? error.code : String(error)),
  );
}

async function collected<Item>(stream: AsyncIterable<Item>): Promise<readonly Item[]> {
  const items: Item[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

function clientOf(doors: ProcessDoors): RpcClient {
  const client = openRpcClient(doors.grpc);
  onTestFinished(() => client.close());
  return client;
}

describe.skipIf(ollamaAnswers)('with --demo and nothing else (skipped where an Ollama answers on this machine)', () => {
  let child: UnderstudyProcess;
  let doors: ProcessDoors;

  beforeAll(async () => {
    child = startUnderstudy(['--demo']);
    doors = await child.doors;
  });

  afterAll(() => child.close());

  test('it says where it is and that the answers are made up', () => {
    expect(child.stdout()).toMatch(/^Understudy \d+\.\d+\.\d+/);
    expect(child.stdout()).toContain('because of --demo, the mock answers every call');
    expect(child.stdout()).toMatch(/^target +provider +model .*\nmock +mock +mock-ok .*--demo$/m);
    expect(child.stdout()).toMatch(/^default +mock$/m);
    for (const address of [doors.grpc, doors.web, doors.admin]) expect(address).toMatch(/127\.0\.0\.1:[1-9]\d+$/);
    expect(child.stderr()).toBe('');
  });

  test.each<[string, (doors: ProcessDoors) => Transport]>([
    ['native gRPC', ({ grpc }) => createGrpcTransport({ baseUrl: `http://${grpc}` })],
    ['Connect', ({ web }) => createConnectTransport({ baseUrl: web, httpVersion: '1.1' })],
    ['Connect with GET', ({ web }) => createConnectTransport({ baseUrl: web, httpVersion: '1.1', useHttpGet: true })],
    ['gRPC-Web', ({ web }) => createGrpcWebTransport({ baseUrl: web, httpVersion: '1.1' })],
  ])('every method answers over %s', async (_protocol, transport) => {
    const client = createClient(LlmService, transport(doors));
    const generated = await client.generate({ prompt: 'Who is there?', requestId: 'mine' });
    expect(generated).toMatchObject({ provider: 'mock', target: 'mock', model: 'mock-ok', requestId: 'mine' });
    expect(generated.tokensUsed).toBeGreaterThan(0);
    expect(generated.costUsd).toBeGreaterThan(0);
    const chatted = await client.chat({ messages });
    expect(chatted.text).toBe(generated.text);
    const events = await collected(client.streamChat({ messages }));
    expect(events[0]?.event.case).toBe('started');
    expect(events.at(-1)?.event.case).toBe('finished');
    expect(textOf(events)).toBe(generated.text);
    const health = await client.health({});
    expect(health.status).toBe(HealthStatus.SERVING);
    expect(health.providers).toMatchObject([{ target: 'mock', provider: 'mock', healthy: true }]);
    const { models } = await client.listModels({});
    expect(models.find(({ id }) => id === 'mock-ok')).toMatchObject({ target: 'mock', defaultOfTarget: true });
  });

  test('every method answers to plain JSON', async () => {
    const text = { content: [{ text: 'Who is there?' }], role: 'ROLE_USER' };
    const generated = await postJson(doors.web, 'Generate', { prompt: 'Who is there?' });
    expect(generated).toMatchObject({ status: 200, json: { provider: 'mock', finishReason: 'FINISH_REASON_STOP' } });
    expect(await postJson(doors.web, 'Chat', { messages: [text] })).toMatchObject({ status: 200 });
    const events = await streamJson(doors.web, 'StreamChat', { messages: [text] });
    expect(events[0]).toMatchObject({ started: { provider: 'mock' } });
    expect(events.at(-2)).toMatchObject({ finished: { provider: 'mock' } });
    expect(events.at(-1)).not.toHaveProperty('error');
    expect(await postJson(doors.web, 'Health', {})).toMatchObject({ json: { status: 'HEALTH_STATUS_SERVING' } });
    const listed = await postJson(doors.web, 'ListModels', {});
    expect(listed).toMatchObject({
      json: { models: expect.arrayContaining([expect.objectContaining({ id: 'mock-ok' })]) },
    });
  });

  test('probes are answered on the web door and the admin listener, and over gRPC', async () => {
    for (const origin of [doors.web, doors.admin]) {
      expect(await get(`${origin}/livez`)).toEqual({ status: 200, body: 'ok\n' });
      expect(await get(`${origin}/readyz`)).toEqual({ status: 200, body: 'ok\n' });
    }
    const { statuses } = await clientOf(doors).call(Health.method.list, {});
    expect(Object.keys(statuses).sort()).toEqual([
      '',
      'liveness',
      'readiness',
      'understudy.target.mock',
      'understudy.v1.LlmService',
    ]);
    expect(Object.values(statuses).every(({ status }) => status === Status.SERVING)).toBe(true);
  });

  test('malformed names of hosts harm nobody', async () => {
    for (const host of ['[', 'a:b:c', '', '%', 'a b']) {
      const head = `POST /understudy.v1.LlmService/Health HTTP/1.1\r\nHost: ${host}\r\n`;
      const sent = `${head}Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`;
      expect(await sendRaw(doors.web, sent)).toMatch(/^HTTP\/1\.1 400 /);
      expect(await callWithAuthority(doors.grpc, host)).not.toBe('');
    }
    expect(await postJson(doors.web, 'Health', {})).toMatchObject({ status: 200 });
    expect(await clientOf(doors).call(LlmService.method.health, {})).toMatchObject({ status: HealthStatus.SERVING });
  });

  test('SIGTERM lets a running stream end, sends new calls elsewhere, and ends the process with 0', async () => {
    const provider = await chaosUpstream();
    const { promise: until, resolve: goOn } = Promise.withResolvers<void>();
    provider.script(...BEGUN, { do: 'hold', until }, chunk(STREAM_END), lastChunk);
    const targets = [chatTarget('slow', provider.origin), { name: 'mock', provider: 'mock' as const }];
    // What is asked of the process meanwhile takes its time on a busy machine.
    const own = started(['--config', await configFile({ targets, server: { drain: { pause: '3s' } } })]);
    const address = await own.doors;
    const client = clientOf(address);
    const readiness = client.stream(Health.method.watch, { service: 'readiness' });
    expect((await readiness.at(0)).status).toBe(Status.SERVING);
    const slow = client.stream(LlmService.method.streamChat, { messages });
    expect((await slow.at(0)).event.case).toBe('started');
    own.kill('SIGTERM');
    expect((await readiness.at(1)).status).toBe(Status.NOT_SERVING);
    expect(await get(`${address.web}/readyz`)).toMatchObject({ status: 503 });
    // Balancers have not noticed yet.
    const quick = { messages, routing: { targets: ['mock'] } };
    expect(await client.call(LlmService.method.chat, quick)).toMatchObject({ provider: 'mock' });
    await expect.poll(() => codeOf(client.call(LlmService.method.chat, quick))).toBe('UNAVAILABLE');
    goOn();
    expect((await slow.done).at(-1)?.event).toMatchObject({ case: 'finished', value: { target: 'slow' } });
    expect(await own.ended).toEqual({ code: 0, signal: null });
    expect(own.stderr()).toBe('');
  });
});

describe('without any provider', () => {
  test('it starts, is alive but not ready, and every call says why', async () => {
    const child = started([]);
    const doors = await child.doors;
    expect(child.stdout()).toContain('No provider is configured');
    const client = clientOf(doors);
    for (const call of [
      client.call(LlmService.method.generate, { prompt: 'Hello' }),
      client.call(LlmService.method.chat, { messages }),
      client.stream(LlmService.method.streamChat, { messages }).done,
    ]) {
      const error = await rpcError(call);
      expect(error).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'NO_PROVIDER_CONFIGURED', trail: [] });
    }
    const overJson = await postJson(doors.web, 'Generate', { prompt: 'Hello' });
    expect(overJson).toMatchObject({ status: 400, json: { code: 'failed_precondition' } });
    expect(JSON.stringify(overJson.json)).toContain('"reason":"NO_PROVIDER_CONFIGURED"');
    for (const origin of [doors.web, doors.admin]) {
      expect((await get(`${origin}/livez`)).status).toBe(200);
      expect((await get(`${origin}/readyz`)).status).toBe(503);
    }
    const statusOf = async (service: string) => (await client.call(Health.method.check, { service })).status;
    expect(await statusOf('readiness')).toBe(Status.NOT_SERVING);
    expect([await statusOf(''), await statusOf('liveness')]).toEqual([Status.SERVING, Status.SERVING]);
    child.kill('SIGINT');
    expect(await child.ended).toEqual({ code: 0, signal: null });
  });
});
