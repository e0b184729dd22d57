import { request as httpRequest, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { Code, ConnectError, createClient, type Transport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { BadRequestSchema, ErrorInfoSchema } from '../../../gen/google/rpc/error_details_pb.ts';
import { LlmService } from '../../../gen/understudy/v1/llm_pb.ts';
import { system } from '../../../src/system.ts';
import { webDoor } from '../support/doors.ts';
import { failed, fakeGateway, SERVING, success, untilAborted } from '../support/fake-gateway.ts';
import { chat } from '../support/requests.ts';
import { transfersByHand } from '../support/transfers-by-hand.ts';

const { messages } = chat();
const JSON_CHAT = JSON.stringify({ messages: [{ role: 'ROLE_USER', content: [{ text: 'hello' }] }] });
const CHAT = '/understudy.v1.LlmService/Chat';

const transports: [string, (baseUrl: string) => Transport][] = [
  ['Connect', (baseUrl) => createConnectTransport({ baseUrl, httpVersion: '1.1' })],
  ['Connect with JSON', (baseUrl) => createConnectTransport({ baseUrl, httpVersion: '1.1', useBinaryFormat: false })],
  ['gRPC-Web', (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: '1.1' })],
];

function post(url: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
}

describe.each(transports)('%s', (_, transportOf) => {
  test('answers, streams, and carries the id', async () => {
    const { baseUrl } = await webDoor(
      fakeGateway((call) => {
        call.client?.started(SERVING);
        call.client?.output({ kind: 'text', index: 0, text: 'hi' });
        return Promise.resolve(success(call.client === undefined ? [{ kind: 'text', index: 0, text: 'hi' }] : []));
      }),
    );
    const client = createClient(LlmService, transportOf(baseUrl));
    let id: string | null = null;
    const onHeader = (headers: Headers): void => {
      id = headers.get('x-request-id');
    };
    expect((await client.chat({ messages }, { onHeader, headers: { 'x-request-id': 'mine' } })).text).toBe('hi');
    expect(id).toBe('mine');
    const events: (string | undefined)[] = [];
    for await (const { event } of client.streamChat({ messages })) events.push(event.case);
    expect(events).toEqual(['started', 'textDelta', 'finished']);
  });

  test('carries errors with their details', async () => {
    const { baseUrl } = await webDoor(fakeGateway(() => Promise.resolve(failed())));
    const client = createClient(LlmService, transportOf(baseUrl));
    const error = ConnectError.from(await client.chat({ messages }).catch((thrown: unknown) => thrown));
    expect(error.code).toBe(Code.Unavailable);
    expect(error.findDetails(ErrorInfoSchema)[0]?.reason).toBe('ALL_PROVIDERS_FAILED');
    expect(error.metadata.get('grpc-retry-pushback-ms')).toBe('-1');
    const invalid = ConnectError.from(await client.chat({}).catch((thrown: unknown) => thrown));
    expect(invalid.findDetails(BadRequestSchema)[0]?.fieldViolations[0]?.field).toBe('messages');
  });

  test('a client that leaves aborts the engine, and nothing is written to the console', async () => {
    const complaints = vi.spyOn(console, 'error');
    onTestFinished(() => complaints.mockRestore());
    const gateway = fakeGateway((call) => {
      call.client?.started(SERVING);
      return untilAborted(call);
    });
    const { baseUrl } = await webDoor(gateway);
    const abort = new AbortController();
    const stream = createClient(LlmService, transportOf(baseUrl)).streamChat({ messages }, { signal: abort.signal });
    const events = stream[Symbol.asyncIterator]();
    await events.next();
    abort.abort();
    await expect(events.next()).rejects.toMatchObject({ code: Code.Canceled });
    await expect.poll(() => gateway.ends.length).toBe(1);
    expect(gateway.calls[0]?.signal.aborted).toBe(true);
    expect(complaints).not.toHaveBeenCalled();
  });
});

describe('HTTP', () => {
  test('speaks JSON with curl, and GET for what has no side effects', async () => {
    const { baseUrl } = await webDoor(
      fakeGateway(() => Promise.resolve(success([{ kind: 'text', index: 0, text: 'hi' }]))),
    );
    const answer = await post(`${baseUrl}${CHAT}`, JSON_CHAT, { 'accept-encoding': 'gzip' });
    expect(await answer.json()).toMatchObject({ text: 'hi', tokensUsed: 7, requestId: 'made-here' });
    expect(answer.headers.get('content-encoding')).toBeNull();
    const health = await fetch(
      `${baseUrl}/understudy.v1.LlmService/Health?encoding=json&message=${encodeURIComponent('{}')}`,
    );
    expect(await health.json()).toMatchObject({ status: 'HEALTH_STATUS_SERVING' });
    const unsafe = await fetch(`${baseUrl}${CHAT}?encoding=json&message=${encodeURIComponent(JSON_CHAT)}`);
    expect(unsafe.status).toBe(405);
  });

  test('refuses unknown fields, bad JSON, unknown paths and native gRPC', async () => {
    const { baseUrl } = await webDoor(fakeGateway(() => Promise.resolve(success())));
    expect((await post(`${baseUrl}${CHAT}`, '{"mesages":[]}')).status).toBe(400);
    expect((await post(`${baseUrl}${CHAT}`, '{')).status).toBe(400);
    expect((await post(`${baseUrl}/understudy.v1.LlmService/Nothing`, '{}')).status).toBe(404);
    expect((await fetch(`${baseUrl}/index`)).status).toBe(404);
    expect((await post(`${baseUrl}${CHAT}`, '', { 'content-type': 'application/grpc' })).status).toBe(415);
  });

  test('probes: alive always, ready as it is told', async () => {
    let isReady = false;
    const { baseUrl } = await webDoor(fakeGateway(untilAborted), { isReady: () => isReady });
    expect((await fetch(`${baseUrl}/livez`)).status).toBe(200);
    expect((await fetch(`${baseUrl}/readyz`)).status).toBe(503);
    isReady = true;
    const ready = await fetch(`${baseUrl}/readyz?verbose`);
    expect([ready.status, ready.headers.get('content-type')]).toEqual([200, 'text/plain; charset=utf-8']);
  });

  test.each(['[', 'a:b:c', ''])('a malformed Host %j gets 400 and harms nobody', async (host) => {
    const { door, baseUrl } = await webDoor(fakeGateway(() => Promise.resolve(success())));
    const socket = openSocket(door.address);
    socket.write(
      `POST ${CHAT} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`,
    );
    expect(await firstChunk(socket)).toMatch(/^HTTP\/1\.1 400 /);
    expect((await post(`${baseUrl}${CHAT}`, JSON_CHAT)).status).toBe(200);
  });

  test('a deadline of months is no deadline of now', async () => {
    // A timer that overflows fires after 1 ms, so that an answer which takes longer is cut off.
    const gateway = fakeGateway(async (call) => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      return call.signal.aborted ? failed({ status: 'CANCELLED', reason: 'CANCELLED' }) : success();
    });
    const { baseUrl } = await webDoor(gateway);
    expect((await post(`${baseUrl}${CHAT}`, JSON_CHAT, { 'connect-timeout-ms': '9999999999' })).status).toBe(200);
    expect((await post(`${baseUrl}${CHAT}`, JSON_CHAT, { 'connect-timeout-ms': '5000' })).status).toBe(200);
    const [long, short] = gateway.calls.map((call) => call.timeoutMs ?? 0);
    expect(long).toBeGreaterThan(2_147_000_000);
    expect(short).toBeLessThanOrEqual(5000);
  });

  test('an oversize request is refused before it is read, and its connection closed', async () => {
    const runtime = { ...system, setTimer: (ms: number, fire: () => void) => system.setTimer(Math.min(ms, 20), fire) };
    const { door } = await webDoor(
      fakeGateway(() => Promise.resolve(success())),
      { runtime },
    );
    const socket = openSocket(door.address);
    const closed = new Promise((resolve) => {
      socket.once('close', resolve);
    });
    socket.write(
      `POST ${CHAT} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 30000000\r\n\r\n{`,
    );
    expect(await firstChunk(socket)).toMatch(/^HTTP\/1\.1 429 /);
    socket.resume();
    await closed;
  });

  test.each([
    ['by the engine', failed({ status: 'CANCELLED', reason: 'SLOW_READER', message: 'the reader is slow' })],
    ['by the door, where the engine is done', success()],
  ])('a reader that stalls is cut off %s', async (_, result) => {
    const destroy = vi.spyOn(ServerResponse.prototype, 'destroy').mockImplementation(function (this: ServerResponse) {
      this.socket?.destroy();
      return this;
    });
    onTestFinished(() => destroy.mockRestore());
    const gateway = fakeGateway((call) => {
      call.client?.started(SERVING);
      for (let index = 0; index < 250; index += 1)
        call.client?.output({ kind: 'text', index, text: 'x'.repeat(60_000) });
      return Promise.resolve(result);
    });
    const { transfers, look } = transfersByHand();
    const { baseUrl } = await webDoor(gateway, { transfers });
    const body = Buffer.from(JSON_CHAT);
    const frame = Buffer.concat([Buffer.alloc(5), body]);
    frame.writeUInt32BE(body.length, 1);
    const headers = { 'content-type': 'application/connect+json' };
    const call = httpRequest(`${baseUrl}/understudy.v1.LlmService/StreamChat`, { method: 'POST', headers });
    call.on('error', () => undefined);
    onTestFinished(() => {
      call.destroy();
    });
    call.once('response', (response) => response.pause());
    call.end(frame);
    await expect
      .poll(() => {
        look(30_000);
        return destroy.mock.calls.length;
      })
      .toBeGreaterThan(0);
  });
});

describe('CORS', () => {
  const origin = 'https://app.example';

  test('lets in the scripts of the configured origins alone', async () => {
    const { baseUrl } = await webDoor(
      fakeGateway(() => Promise.resolve(success())),
      { corsOrigins: [origin] },
    );
    const preflight = await fetch(`${baseUrl}${CHAT}`, { method: 'OPTIONS', headers: { origin } });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe(origin);
    const allowed = preflight.headers.get('access-control-allow-headers')?.split(', ');
    expect(allowed).toEqual(
      expect.arrayContaining(['Connect-Timeout-Ms', 'Authorization', 'Traceparent', 'x-request-id']),
    );
    expect(preflight.headers.get('access-control-allow-credentials')).toBeNull();
    const call = await post(`${baseUrl}${CHAT}`, JSON_CHAT, { origin });
    expect(call.headers.get('access-control-allow-origin')).toBe(origin);
    expect(call.headers.get('access-control-expose-headers')).toContain('x-request-id');
    const stranger = await fetch(`${baseUrl}${CHAT}`, {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example' },
    });
    expect([stranger.status, stranger.headers.get('access-control-allow-origin')]).toEqual([403, null]);
  });

  test('is off unless it is configured', async () => {
    const { baseUrl } = await webDoor(fakeGateway(() => Promise.resolve(success())));
    expect((await fetch(`${baseUrl}${CHAT}`, { method: 'OPTIONS', headers: { origin } })).status).toBe(403);
    const call = await post(`${baseUrl}${CHAT}`, JSON_CHAT, { origin });
    expect([call.status, call.headers.get('access-control-allow-origin')]).toEqual([403, null]);
  });
});

test('drain lets a call end, and ends with UNAVAILABLE what does not', async () => {
  const gateway = fakeGateway(untilAborted);
  const { door, baseUrl } = await webDoor(gateway);
  const running = post(`${baseUrl}${CHAT}`, JSON_CHAT);
  await expect.poll(() => gateway.calls.length).toBe(1);
  await door.drain(0);
  const answer = await running;
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ code: 'unavailable' });
  await expect(fetch(`${baseUrl}/livez`)).rejects.toThrow();
});

function openSocket(address: string): Socket {
  const socket = connect(Number(address.split(':')[1]), '127.0.0.1');
  socket.on('error', () => undefined);
  onTestFinished(() => {
    socket.destroy();
  });
  return socket;
}

function firstChunk(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('data', (chunk) => resolve(chunk.toString()));
  });
}
