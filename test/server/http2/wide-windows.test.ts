import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { toBinary } from '@bufbuild/protobuf';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Role } from '../../../gen/understudy/v1/chat_pb.ts';
import { ChatRequestSchema } from '../../../gen/understudy/v1/llm_pb.ts';
import { credentialFailure } from '../../../src/callers/credentials/refusals.ts';
import type { Identified } from '../../../src/callers/port/credentials.ts';
import type { Authentication } from '../../../src/server/port/authentication.ts';
import { LiveTls } from '../../../src/server/tls/live-tls.ts';
import { createAuthority, hasOpenssl } from '../../support/certificates.ts';
import { openSlowRoad } from '../../support/slow-road.ts';
import { grpcDoor, webDoor } from '../support/doors.ts';
import { fakeGateway, success } from '../support/fake-gateway.ts';
import { chat, say } from '../support/requests.ts';
import { transfersByHand } from '../support/transfers-by-hand.ts';
import { enveloped } from '../support/web-envelopes.ts';

const MIB = 1024 * 1024;
const NARROW = 64;
const WIDE = 8 * 1024;
const CHAT = '/understudy.v1.LlmService/Chat';
const STREAM = '/understudy.v1.LlmService/StreamChat';
const HEALTH = '/understudy.v1.LlmService/Health';

const answering = () => fakeGateway(() => Promise.resolve(success([{ kind: 'text', index: 0, text: 'hello' }])));
const LARGE = chat({ messages: [say(Role.USER, 'word '.repeat(600_000))] });
const hello = enveloped(toBinary(ChatRequestSchema, chat()));

function open(session: ClientHttp2Session, headers: Readonly<Record<string, string>> = {}): ClientHttp2Stream {
  const stream = session.request({ ':method': 'POST', ':path': CHAT, 'content-type': 'application/grpc', ...headers });
  stream.on('error', () => undefined);
  stream.resume();
  return stream;
}

/** How many KiB a client may send before it must wait, about: on one stream, and on the connection. */
function windows({ remoteSettings, state }: ClientHttp2Session): readonly number[] {
  return [remoteSettings.initialWindowSize ?? 0, state.remoteWindowSize ?? 0].map((bytes) => Math.round(bytes / 1024));
}

const CALLER: Identified = { name: 'billing', metricName: 'billing', accounts: [] };

/** Knows one caller by its key, which takes as long as a test lets it where `known` is given. */
function knowing(known?: Promise<Identified>): Authentication {
  const identify = ({ apiKey }: { readonly apiKey?: string | undefined }) =>
    apiKey === 'right' ? (known ?? CALLER) : credentialFailure('unknown_key');
  return { directory: { identify }, includesHealth: false, refused: () => undefined };
}

describe('the windows of a connection to the gRPC door', () => {
  test('are 8 MiB from the first settings on, where nobody is named', async () => {
    const session = (await grpcDoor(answering())).session();
    await expect.poll(() => windows(session)).toEqual([WIDE, WIDE]);
  });

  test('let a prompt of 3 MB come whole while no word of the door reaches its client', async () => {
    const gateway = answering();
    const { door } = await grpcDoor(gateway);
    const road = await openSlowRoad(Number(new URL(`http://${door.address}`).port));
    onTestFinished(() => road.close());
    const session = connect(`http://127.0.0.1:${road.port}`);
    session.on('error', () => undefined);
    onTestFinished(() => session.destroy());
    await expect.poll(() => windows(session)).toEqual([WIDE, WIDE]);
    road.isMute = true;
    open(session).end(enveloped(toBinary(ChatRequestSchema, LARGE)));
    await expect.poll(() => gateway.calls.length).toBe(1);
  });

  test('are no larger than a message may be', async () => {
    const { transfers } = transfersByHand({ maxMessageBytes: MIB });
    const session = (await grpcDoor(answering(), { transfers })).session();
    await expect.poll(() => windows(session)).toEqual([1024, 1024]);
  });

  test('are wide once the budget has room for large requests', async () => {
    const { transfers } = transfersByHand();
    const others = transfers.budget.open('others');
    others.answer(7 * MIB);
    const session = (await grpcDoor(answering(), { transfers })).session();
    const first = open(session);
    first.end(hello);
    await once(first, 'close');
    expect(windows(session)).toEqual([NARROW, NARROW]);
    others.release();
    open(session).end(hello);
    await expect.poll(() => windows(session)).toEqual([1024, 1024]);
  });

  test('stay narrow until a caller is known, where callers are named', async () => {
    const session = (await grpcDoor(answering(), { authentication: () => knowing() })).session();
    for (const headers of [{ 'x-api-key': 'wrong' }, { ':path': HEALTH }]) {
      const other = open(session, headers);
      other.end(enveloped(''));
      await once(other, 'close');
    }
    expect(windows(session)).toEqual([NARROW, NARROW]);
    open(session, { 'x-api-key': 'right' }).end(hello);
    await expect.poll(() => windows(session)).toEqual([WIDE, WIDE]);
  });

  test('hold nothing uncounted of a call whose caller is not known yet, and what is counted goes on', async () => {
    const { transfers } = transfersByHand();
    const first = Promise.withResolvers<Identified>();
    const gateway = answering();
    const session = (await grpcDoor(gateway, { transfers, authentication: () => knowing(first.promise) })).session();
    const stream = open(session, { 'x-api-key': 'right' });
    stream.end(hello);
    await expect.poll(() => transfers.budget.requestBytes).toBe(hello.byteLength);
    first.resolve(CALLER);
    await once(stream, 'close');
    expect(gateway.calls).toHaveLength(1);
    await expect.poll(() => transfers.budget.requestBytes).toBe(0);
  });

  test('a call whose caller is not known yet is refused where the budget has no room for what it sends', async () => {
    const { transfers } = transfersByHand();
    transfers.budget.open('others').answer(16 * MIB);
    const authentication = () => knowing(new Promise(() => undefined));
    const session = (await grpcDoor(answering(), { transfers, authentication })).session();
    const stream = open(session, { 'x-api-key': 'right' });
    stream.write(hello);
    await new Promise((resolve) => stream.once('close', resolve));
    expect(stream.rstCode).toBe(constants.NGHTTP2_REFUSED_STREAM);
    expect(transfers.budget.refused.bytes_in_flight).toBe(1);
    expect(transfers.budget.requestBytes).toBe(0);
  });
});

describe.skipIf(!hasOpenssl())('the windows of a connection to the web door over HTTP/2', () => {
  async function secured(authentication?: Authentication) {
    const authority = createAuthority();
    onTestFinished(() => authority.remove());
    const { cert, key } = authority.issue('localhost');
    const tls = new LiveTls({ certPem: cert, keyPem: key });
    const gateway = answering();
    const { transfers } = transfersByHand({ maxMessageBytes: 20 * MIB }, 80 * MIB);
    const { door } = await webDoor(gateway, { tls, transfers, authentication: () => authentication });
    const session = connect(`https://${door.address}`, { ca: authority.cert, servername: 'localhost' });
    session.on('error', () => undefined);
    onTestFinished(() => session.destroy());
    return { gateway, session, transfers };
  }
  const typed = { 'content-type': 'application/proto' };
  const streamed = { 'content-type': 'application/connect+proto' };

  test('are 8 MiB from the first settings on, where nobody is named, and a large prompt is answered', async () => {
    const { gateway, session, transfers } = await secured();
    await expect.poll(() => windows(session)).toEqual([WIDE, WIDE]);
    const stream = open(session, typed);
    stream.end(toBinary(ChatRequestSchema, LARGE));
    await once(stream, 'close');
    expect(gateway.calls).toHaveLength(1);
    await expect.poll(() => transfers.budget.requestBytes).toBe(0);
  });

  test('stay narrow until a caller is known, where callers are named', async () => {
    const { session } = await secured(knowing());
    const wrong = { 'x-api-key': 'wrong' };
    for (const headers of [wrong, { ...wrong, ':path': STREAM, ...streamed }, { ':path': HEALTH }]) {
      const other = open(session, { ...typed, ...headers });
      other.end();
      await once(other, 'close');
    }
    expect(windows(session)).toEqual([NARROW, NARROW]);
    open(session, { ...typed, 'x-api-key': 'right' }).end(toBinary(ChatRequestSchema, chat()));
    await expect.poll(() => windows(session)).toEqual([WIDE, WIDE]);
  });

  test('hold nothing uncounted of a call whose caller is not known yet, and nothing of one that is refused', async () => {
    const first = Promise.withResolvers<Identified>();
    const { gateway, session, transfers } = await secured(knowing(first.promise));
    const body = Buffer.from(toBinary(ChatRequestSchema, chat()));
    const stream = open(session, { ...typed, 'x-api-key': 'right' });
    stream.end(body);
    await expect.poll(() => transfers.budget.requestBytes).toBe(body.byteLength);
    first.resolve(CALLER);
    await once(stream, 'close');
    expect(gateway.calls).toHaveLength(1);
    await expect.poll(() => transfers.budget.requestBytes).toBe(0);
    const lost = session.request({ ':method': 'POST', ':path': '/nowhere' });
    lost.on('error', () => undefined);
    lost.write(Buffer.alloc(MIB));
    await once(lost, 'response');
    await expect.poll(() => session.state.remoteWindowSize).toBeGreaterThan(0);
    await expect.poll(() => transfers.budget.requestBytes).toBe(0);
  });
});
