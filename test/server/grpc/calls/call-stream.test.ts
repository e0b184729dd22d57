import { once } from 'node:events';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { deflateSync, gzipSync } from 'node:zlib';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ChatRequestSchema, ChatResponseSchema } from '../../../../gen/understudy/v1/llm_pb.ts';
import { http2ServersOf } from '../../../../src/server/grpc/take-calls.ts';
import { FLUSH_MS, MAX_MESSAGE_BYTES } from '../../../../src/server/port/limits.ts';
import { grpcDoor } from '../../support/doors.ts';
import { fakeGateway, success, untilAborted } from '../../support/fake-gateway.ts';
import { chat } from '../../support/requests.ts';
import { transfersByHand } from '../../support/transfers-by-hand.ts';
import { system } from '../../../../src/system.ts';

const hello = toBinary(ChatRequestSchema, chat());

function framed(message: Uint8Array, { flag = 0, length = message.byteLength } = {}): Buffer {
  const frame = Buffer.alloc(5 + message.byteLength);
  frame.writeUInt8(flag, 0);
  frame.writeUInt32BE(length, 1);
  frame.set(message, 5);
  return frame;
}

function open(session: ClientHttp2Session, headers: Record<string, string> = {}): ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/understudy.v1.LlmService/Chat',
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  stream.on('error', () => undefined);
  return stream;
}

interface Answer {
  readonly headers: IncomingHttpHeaders;
  /** Of the trailers, or of the headers where they are all that came. */
  readonly status: string | string[] | undefined;
  readonly body: Buffer;
}

async function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  let [headers, trailers]: IncomingHttpHeaders[] = [{}, {}];
  const chunks: Buffer[] = [];
  stream.on('response', (received) => (headers = received));
  stream.on('trailers', (received) => (trailers = received));
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(stream, 'close');
  const status = trailers?.['grpc-status'] ?? headers?.['grpc-status'];
  return { headers: headers ?? {}, status, body: Buffer.concat(chunks) };
}

const answering = (text = 'hello'): ReturnType<typeof fakeGateway> =>
  fakeGateway(() => Promise.resolve(success([{ kind: 'text', index: 0, text }])));

function textOf({ body }: Answer): string {
  expect(body.readUInt32BE(1)).toBe(body.length - 5);
  return fromBinary(ChatResponseSchema, body.subarray(5)).text;
}

/** grpc-js names the encodings that it reads in every answer. */
const isOfGrpcJs = ({ headers }: Answer): boolean => headers['grpc-accept-encoding'] !== undefined;

test('grpc-js still has its HTTP/2 servers where they are looked for', async () => {
  const server = new Server();
  onTestFinished(() => server.forceShutdown());
  await new Promise<void>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
  expect(http2ServersOf(server).map((found) => found.listenerCount('stream'))).toEqual([1]);
});

describe('a plain unary call', () => {
  test('passes grpc-js by, in whatever pieces it comes', async () => {
    const session = (await grpcDoor(answering())).session();
    const whole = open(session);
    whole.end(framed(hello));
    const pieces = open(session, { 'content-type': 'application/grpc+proto', 'grpc-encoding': 'identity' });
    for (const byte of framed(hello)) pieces.write(Buffer.of(byte));
    pieces.end();
    for (const answer of await Promise.all([whole, pieces].map(answerOf))) {
      expect([textOf(answer), answer.status, isOfGrpcJs(answer)]).toEqual(['hello', '0', false]);
      expect(answer.headers).toMatchObject({
        ':status': 200,
        'content-type': 'application/grpc+proto',
        'x-request-id': 'made-here',
      });
    }
  });

  test.each([
    ['no message', Buffer.alloc(0), '12'],
    ['half a prefix', framed(hello).subarray(0, 3), '13'],
    ['half a message', framed(hello).subarray(0, 9), '13'],
    ['two messages', Buffer.concat([framed(hello), framed(hello)]), '12'],
    ['a message that is compressed, nobody says how', framed(gzipSync(hello), { flag: 1 }), '13'],
  ])('that is %s is refused, and nobody is called', async (_name, bytes, status) => {
    const gateway = answering();
    const stream = open((await grpcDoor(gateway)).session());
    stream.end(bytes);
    expect((await answerOf(stream)).status).toBe(status);
    expect(gateway.calls).toEqual([]);
  });

  test.each([
    ['says that it is too large', '8', framed(hello, { length: MAX_MESSAGE_BYTES + 1 }), {}],
    ['goes on behind its message', '12', framed(hello, { length: 1 }), {}],
    ['has had its time', '4', framed(hello).subarray(0, 9), { 'grpc-timeout': '20m' }],
    ['has had its time, but for its end', '4', framed(hello), { 'grpc-timeout': '20m' }],
    ['never had any', '4', framed(hello), { 'grpc-timeout': '0S' }],
  ])('that %s is refused before it has come', async (_name, status, bytes, changes) => {
    const gateway = answering();
    const stream = open((await grpcDoor(gateway)).session(), changes);
    stream.write(bytes);
    const answered = answerOf(stream);
    const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
    expect(headers['grpc-status']).toBe(status);
    stream.end();
    await answered;
    expect(gateway.calls).toEqual([]);
  });

  test('whose answer is too large ends with an error', async () => {
    const stream = open((await grpcDoor(answering('a'.repeat(MAX_MESSAGE_BYTES)))).session());
    stream.end(framed(hello));
    expect((await answerOf(stream)).status).toBe('8');
  });

  test('that is left before it has come is no call', async () => {
    const gateway = answering();
    const door = await grpcDoor(gateway);
    const session = door.session();
    const left = open(session);
    left.write(framed(hello).subarray(0, 9));
    await new Promise((resolve) => session.ping(resolve));
    left.close();
    await once(left, 'close');
    const stream = open(session);
    stream.end(framed(hello));
    expect((await answerOf(stream)).status).toBe('0');
    expect(gateway.calls).toHaveLength(1);
  });

  test('that is left while it runs is aborted', async () => {
    const begun = Promise.withResolvers<AbortSignal>();
    const gateway = fakeGateway((call) => {
      begun.resolve(call.signal);
      return untilAborted(call);
    });
    const stream = open((await grpcDoor(gateway)).session());
    stream.end(framed(hello));
    const signal = await begun.promise;
    stream.close();
    await once(signal, 'abort');
    expect(signal.reason).toMatchObject({ message: expect.stringContaining('cancelled') as unknown });
  });
});

test.each([
  ['a message in gzip', { 'grpc-encoding': 'gzip' }, framed(gzipSync(hello), { flag: 1 })],
  ['a message in deflate', { 'grpc-encoding': 'deflate' }, framed(deflateSync(hello), { flag: 1 })],
  ['a coding that this message does not use', { 'grpc-encoding': 'br' }, framed(hello)],
  ['another content type of gRPC', { 'content-type': 'application/grpc;charset=utf-8' }, framed(hello)],
])('%s is read as well', async (_name, headers, bytes) => {
  const stream = open((await grpcDoor(answering())).session(), headers);
  stream.end(bytes);
  const answer = await answerOf(stream);
  expect([textOf(answer), answer.status, isOfGrpcJs(answer)]).toEqual(['hello', '0', false]);
});

test.each([
  ['a coding that is not known', '12', { 'grpc-encoding': 'br' }, framed(hello, { flag: 1 })],
  ['what is not in the coding that it names', '13', { 'grpc-encoding': 'gzip' }, framed(hello, { flag: 1 })],
  ['a deadline that cannot be read', '13', { 'grpc-timeout': 'soon' }, framed(hello)],
])('%s is refused', async (_name, status, headers, bytes) => {
  const gateway = answering();
  const stream = open((await grpcDoor(gateway)).session(), headers);
  stream.end(bytes);
  expect((await answerOf(stream)).status).toBe(status);
  expect(gateway.calls).toEqual([]);
});

test('a drain waits for a call whose request is still on its way, and tells it why it is refused', async () => {
  const { transfers } = transfersByHand();
  // What is given to last answers has passed at once.
  const runtime = {
    ...system,
    setTimer: (ms: number, fire: () => void) => system.setTimer(ms > FLUSH_MS ? ms : 0, fire),
  };
  const door = await grpcDoor(answering(), { transfers, runtime });
  const session = door.session();
  const call = open(session);
  const frame = framed(hello);
  call.write(frame.subarray(0, 7));
  await expect.poll(() => transfers.budget.requestBytes).toBe(hello.byteLength);
  const drained = door.door.drain(60_000);
  let goaways = 0;
  session.on('goaway', () => (goaways += 1));
  await expect.poll(() => goaways).toBe(2);
  call.end(frame.subarray(7));
  expect((await answerOf(call)).status).toBe('14');
  await drained;
});

test('at the end of a drain, a call whose request is still on its way is told why, and that it may be repeated elsewhere', async () => {
  const { transfers } = transfersByHand();
  const gateway = answering();
  const door = await grpcDoor(gateway, { transfers });
  const session = door.session();
  const call = open(session, { 'x-request-id': 'mine' });
  const frame = framed(hello);
  call.write(frame.subarray(0, 7));
  await expect.poll(() => transfers.budget.requestBytes).toBe(hello.byteLength);
  call.once('response', () => call.close());
  const drained = door.door.drain(0);
  const { headers, status } = await answerOf(call);
  expect(status).toBe('14');
  const pushbackMs = Number(headers['grpc-retry-pushback-ms']);
  expect(pushbackMs).toBeGreaterThanOrEqual(10);
  expect(pushbackMs).toBeLessThanOrEqual(50);
  const details = Buffer.from(String(headers['grpc-status-details-bin']), 'base64').toString('latin1');
  expect(details).toContain('SHUTTING_DOWN');
  expect(details).toContain('mine');
  await drained;
  expect(transfers.budget.requestBytes).toBe(0);
  expect(gateway.calls).toEqual([]);
});
