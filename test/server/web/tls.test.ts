import { once } from 'node:events';
import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from 'node:http2';
import { request } from 'node:https';
import { Code, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { LlmService } from '../../../gen/understudy/v1/llm_pb.ts';
import type { Identified } from '../../../src/callers/port/credentials.ts';
import { LiveTls } from '../../../src/server/tls/live-tls.ts';
import { type Authority, createAuthority, hasOpenssl } from '../../support/certificates.ts';
import { readSome, webDoor } from '../support/doors.ts';
import { fakeGateway, SERVING, success, untilAborted } from '../support/fake-gateway.ts';
import { chat } from '../support/requests.ts';
import { answersPing, IDLE_MS, idleTime } from '../support/idle-time.ts';
import { transfersByHand } from '../support/transfers-by-hand.ts';
import { enveloped } from '../support/web-envelopes.ts';
import { system } from '../../../src/system.ts';

const CHAT = '/understudy.v1.LlmService/Chat';
const STREAM = '/understudy.v1.LlmService/StreamChat';
const JSON_CHAT = JSON.stringify({ messages: [{ role: 'ROLE_USER', content: [{ text: 'hello' }] }] });
const { messages } = chat();

interface H2Answer {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function open(session: ClientHttp2Session, path: string, headers: Readonly<Record<string, string>>): ClientHttp2Stream {
  const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/json', ...headers });
  stream.on('error', () => undefined);
  return stream;
}

/** Reads an answer to the end of its stream. */
async function answerOf(stream: ClientHttp2Stream): Promise<H2Answer> {
  let headers: IncomingHttpHeaders = {};
  let body = '';
  stream.on('response', (received) => {
    headers = received;
  });
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    body += chunk;
  });
  await once(stream, 'close');
  return { headers, body };
}

// Without the openssl tool there is nothing to make certificates with.
describe.skipIf(!hasOpenssl())('the web door with TLS', () => {
  let authority: Authority;
  let tls: LiveTls;
  beforeAll(() => {
    authority = createAuthority();
    const { cert, key } = authority.issue('localhost');
    tls = new LiveTls({ certPem: cert, keyPem: key });
  });
  afterAll(() => authority.remove());

  const trust = () => ({ ca: authority.cert, servername: 'localhost' });

  function connection(address: string): ClientHttp2Session {
    const session = connect(`https://${address}`, trust());
    session.on('error', () => undefined);
    onTestFinished(() => session.destroy());
    return session;
  }

  test('answers more calls at once over one HTTP/2 connection than a browser opens connections', async () => {
    const gateway = fakeGateway((call) => {
      call.client?.started(SERVING);
      return call.client === undefined ? Promise.resolve(success()) : untilAborted(call);
    });
    const { door } = await webDoor(gateway, { tls });
    const session = connection(door.address);
    const streams = Array.from({ length: 20 }, () => {
      const stream = open(session, STREAM, { 'content-type': 'application/connect+json' });
      stream.end(enveloped(JSON_CHAT));
      return stream;
    });
    const heads = await Promise.all(
      streams.map(async (stream) => (await once(stream, 'response')) as [IncomingHttpHeaders]),
    );
    expect(heads.map(([head]) => head[':status'])).toEqual(streams.map(() => 200));
    expect(session.alpnProtocol).toBe('h2');
    const unary = open(session, CHAT, {});
    unary.end(JSON_CHAT);
    expect((await answerOf(unary)).headers[':status']).toBe(200);
    for (const stream of streams) stream.close();
    await expect.poll(() => gateway.ends.length).toBe(21);
    expect(gateway.calls.filter((call) => call.client !== undefined).every((call) => call.signal.aborted)).toBe(true);
  });

  test('speaks Connect and gRPC-Web over HTTP/2, and HTTP/1.1 to who does not offer it', async () => {
    const gateway = fakeGateway((call) => {
      call.client?.started(SERVING);
      return Promise.resolve(success(call.client === undefined ? [{ kind: 'text', index: 0, text: 'hi' }] : []));
    });
    const { door } = await webDoor(gateway, { tls });
    const options = { baseUrl: `https://${door.address}`, httpVersion: '2', nodeOptions: trust() } as const;
    for (const transport of [createConnectTransport(options), createGrpcWebTransport(options)]) {
      const client = createClient(LlmService, transport);
      expect((await client.chat({ messages })).text).toBe('hi');
      const events: (string | undefined)[] = [];
      for await (const { event } of client.streamChat({ messages })) events.push(event.case);
      expect(events).toEqual(['started', 'finished']);
      await expect(client.chat({})).rejects.toMatchObject({ code: Code.InvalidArgument });
    }
    const old = request(`https://${door.address}/readyz`, { ...trust(), agent: false });
    old.end();
    const [response] = await once(old, 'response');
    expect([response.statusCode, response.httpVersion]).toEqual([200, '1.1']);
    response.resume();
  });

  test('cuts off the answer that nobody reads, and not the one beside it that is read slowly', async () => {
    const mib = 1024 * 1024;
    const gateway = fakeGateway(() =>
      Promise.resolve(success([{ kind: 'text', index: 0, text: 'a'.repeat(2 * mib) }])),
    );
    const { transfers, look } = transfersByHand({ maxMessageBytes: 16 * mib }, 64 * mib);
    const { door } = await webDoor(gateway, { tls, transfers });
    const session = connection(door.address);
    const [unread, slow] = [open(session, CHAT, {}), open(session, CHAT, {})];
    for (const stream of [unread, slow]) stream.end(JSON_CHAT);
    await expect.poll(() => transfers.budget.answerBytes).toBeGreaterThan(8 * mib);
    transfers.budget.open('another').answer(64 * mib);
    look(1_000);
    const cut = once(unread, 'close');
    await readSome(slow, 512 * 1024);
    look(4_999);
    expect(transfers.budget.refused.send_timeout).toBe(0);
    // The window of the unread one may have filled since the first look, and is full now.
    for (let round = 0; round < 2; round += 1) {
      await readSome(slow, 512 * 1024);
      look(2_500);
    }
    expect(transfers.budget.refused.send_timeout).toBe(1);
    await cut;
    expect(unread.rstCode).toBe(constants.NGHTTP2_CANCEL);
    slow.resume();
    await once(slow, 'end');
    expect(slow.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
  });

  test('refuses a foreign authority and a foreign Origin', async () => {
    const { door } = await webDoor(
      fakeGateway(() => Promise.resolve(success())),
      { tls },
    );
    const session = connection(door.address);
    for (const headers of [{ ':authority': 'evil.example' }, { origin: 'https://evil.example' }]) {
      const stream = open(session, CHAT, headers);
      stream.end(JSON_CHAT);
      expect((await answerOf(stream)).headers[':status']).toBe(403);
    }
  });

  test('takes a large request, answers a malformed one, and ends the stream of one that goes on', async () => {
    const gateway = fakeGateway(() => Promise.resolve(success()));
    const asked: number[] = [];
    const runtime = {
      ...system,
      setTimer: (ms: number, fire: () => void) => {
        asked.push(ms);
        return setTimeout(fire, 20);
      },
      clearTimer: () => undefined,
    };
    const { door } = await webDoor(gateway, { tls, runtime });
    const session = connection(door.address);
    const large = open(session, CHAT, {});
    large.end(JSON_CHAT.replace('hello', 'x'.repeat(5_000_000)));
    expect((await answerOf(large)).headers[':status']).toBe(200);
    const malformed = open(session, STREAM, { 'content-type': 'application/connect+json' });
    malformed.end(enveloped('{x'));
    expect((await answerOf(malformed)).body).toContain('invalid_argument');
    const endless = open(session, STREAM, { 'content-type': 'application/connect+json' });
    endless.write(enveloped('x', { length: 30_000_000 }));
    expect((await answerOf(endless)).body).toContain('resource_exhausted');
    expect(asked).toContain(5_000);
    expect(gateway.calls).toHaveLength(1);
  });

  test('closes a connection that is idle, and none in the middle of a call', async () => {
    const begun = Promise.withResolvers<() => void>();
    const gateway = fakeGateway(async (call) => {
      await new Promise<void>((resolve) => begun.resolve(resolve));
      expect(call.signal.aborted).toBe(false);
      return success();
    });
    const { runtime, pass } = idleTime();
    const { door } = await webDoor(gateway, { tls, runtime, idleTimeoutMs: IDLE_MS });
    const session = connection(door.address);
    const stream = open(session, CHAT, {});
    stream.end(JSON_CHAT);
    const answered = answerOf(stream);
    const finish = await begun.promise;
    // The idle time passes while the call is under way: the connection is not idle before its end.
    pass(IDLE_MS);
    await answersPing(session);
    expect(session.closed).toBe(false);
    const closed = once(session, 'close');
    finish();
    expect((await answered).headers[':status']).toBe(200);
    await answersPing(session);
    pass(IDLE_MS);
    await closed;
  });

  test('drains: what is under way ends with UNAVAILABLE, and all connections close', async () => {
    const gateway = fakeGateway(untilAborted);
    const { door } = await webDoor(gateway, { tls });
    const session = connection(door.address);
    const stream = open(session, CHAT, {});
    stream.end(JSON_CHAT);
    const answered = answerOf(stream);
    await expect.poll(() => gateway.calls.length).toBe(1);
    const closed = once(session, 'close');
    await door.drain(0);
    expect((await answered).headers[':status']).toBe(503);
    await closed;
  });

  test('keeps nothing for a caller who has left while it was found out who calls', async () => {
    const asked = Promise.withResolvers<void>();
    const found = Promise.withResolvers<Identified>();
    const identify = (): Promise<Identified> => {
      asked.resolve();
      return found.promise;
    };
    const authentication = { directory: { identify }, includesHealth: false, refused: () => undefined };
    const gateway = fakeGateway(() => Promise.resolve(success()));
    const { transfers } = transfersByHand();
    const { door } = await webDoor(gateway, { tls, authentication: () => authentication, transfers });
    const session = connection(door.address);
    const left = open(session, CHAT, { 'content-length': String(JSON_CHAT.length) });
    left.end(JSON_CHAT);
    await asked.promise;
    await expect.poll(() => transfers.budget.requestBytes).toBe(JSON_CHAT.length);
    left.close(constants.NGHTTP2_CANCEL);
    await expect.poll(() => transfers.budget.requestBytes).toBe(0);
    found.resolve({ name: 'billing', metricName: 'billing', accounts: [] });
    const next = open(session, CHAT, {});
    next.end(JSON_CHAT);
    expect((await answerOf(next)).headers[':status']).toBe(200);
    await expect.poll(() => transfers.budget.requestBytes).toBe(0);
  });

  test('lets callers leave streams as the gRPC door does, without an end of the calls beside them', async () => {
    const gateway = fakeGateway((call) => {
      call.client?.started(SERVING);
      return untilAborted(call);
    });
    const { door } = await webDoor(gateway, { tls });
    const session = connection(door.address);
    const begin = async (): Promise<ClientHttp2Stream> => {
      const stream = open(session, STREAM, { 'content-type': 'application/connect+json' });
      stream.end(enveloped(JSON_CHAT));
      await once(stream, 'data');
      return stream;
    };
    const kept = await begin();
    for (let round = 0; round < 12; round += 1) {
      const left = await Promise.all(Array.from({ length: 100 }, begin));
      for (const stream of left) stream.close(constants.NGHTTP2_CANCEL);
      await expect.poll(() => gateway.ends.length).toBe(100 * (round + 1));
    }
    expect([session.destroyed, kept.destroyed]).toEqual([false, false]);
  });
});
