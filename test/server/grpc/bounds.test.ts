import { once } from 'node:events';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { ErrorInfoSchema } from '../../../gen/google/rpc/error_details_pb.ts';
import { StatusSchema } from '../../../gen/google/rpc/status_pb.ts';
import { ChatRequestSchema } from '../../../gen/understudy/v1/llm_pb.ts';
import { AttemptTrailSchema } from '../../../gen/understudy/v1/routing_pb.ts';
import { grpcDoor, readSome } from '../support/doors.ts';
import { attempt, fakeGateway, SERVING, success, untilAborted } from '../support/fake-gateway.ts';
import { chat } from '../support/requests.ts';
import { transfersByHand } from '../support/transfers-by-hand.ts';
import { enveloped } from '../support/web-envelopes.ts';

const MIB = 1024 * 1024;
const hello = toBinary(ChatRequestSchema, chat());
/** An empty message in `messages`, and so on. */
const emptyMessages = (count: number): Buffer => Buffer.alloc(2 * count, Buffer.of(10, 0));

/** Streams a text and then nothing, until the call is over. */
const streaming = (text: string) =>
  fakeGateway((call) => {
    call.client?.started(SERVING);
    call.client?.output({ kind: 'text', index: 0, text });
    return untilAborted(call);
  });

const answering = (text = 'hello') =>
  fakeGateway(() => Promise.resolve(success([{ kind: 'text', index: 0, text }], { attempts: [attempt()] })));

function open(session: ClientHttp2Session, method: string, headers: Record<string, string> = {}): ClientHttp2Stream {
  const path = `/understudy.v1.LlmService/${method}`;
  const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', ...headers });
  stream.on('error', () => undefined);
  return stream;
}

/** Reads an answer to its end, and returns what ends it. */
async function endOf(stream: ClientHttp2Stream): Promise<IncomingHttpHeaders> {
  let end: IncomingHttpHeaders = {};
  const note = (headers: IncomingHttpHeaders): void => {
    if (headers['grpc-status'] !== undefined) end = headers;
  };
  stream.on('response', note).on('trailers', note).resume();
  await once(stream, 'close');
  return end;
}

function reasonOf({ 'grpc-status-details-bin': details }: IncomingHttpHeaders): string | undefined {
  const status = fromBinary(StatusSchema, Buffer.from(String(details), 'base64'));
  const info = status.details.find(({ typeUrl }) => typeUrl.endsWith(ErrorInfoSchema.typeName));
  return info && fromBinary(ErrorInfoSchema, info.value).reason;
}

describe.each(['Chat', 'StreamChat'])('%s', (method) => {
  test('a compressed request may expand to 1 MiB, or to a hundred times its size, and no further', async () => {
    const gateway = answering();
    const { transfers } = transfersByHand({ maxMessageBytes: 4 * MIB }, 16 * MIB);
    const session = (await grpcDoor(gateway, { transfers })).session();
    const stream = open(session, method, { 'grpc-encoding': 'gzip' });
    const bomb = gzipSync(emptyMessages(MIB));
    expect(bomb.byteLength).toBeLessThan(10_000);
    stream.end(enveloped(bomb, { flag: 1 }));
    const end = await endOf(stream);
    expect([end['grpc-status'], reasonOf(end), end['grpc-retry-pushback-ms']]).toEqual([
      '8',
      'MESSAGE_TOO_LARGE',
      '-1',
    ]);
    expect(gateway.calls).toEqual([]);
    await expect.poll(() => transfers.budget.requestBytes).toBe(0);
  });

  test.each([
    ['too many fields', emptyMessages(50_001)],
    ['too many labels', Buffer.alloc(2 * 50_001, Buffer.of(58, 0))],
    ['too many unknown fields', Buffer.alloc(3 * 50_001, Buffer.of(0xf8, 0x7f, 0))],
    ['too many groups in groups', Buffer.alloc(100_001, 0x7b)],
  ])('a request of %s is refused undecoded', async (_name, message) => {
    const gateway = answering();
    const session = (await grpcDoor(gateway)).session();
    const stream = open(session, method, { 'x-request-id': 'mine' });
    stream.end(enveloped(message));
    const end = await endOf(stream);
    expect([end['grpc-status'], reasonOf(end), end['x-request-id']]).toEqual(['3', 'INVALID_REQUEST', 'mine']);
    expect(gateway.calls).toEqual([]);
  });

  test('a large request that finds no room is refused as soon as it says how large it is; small ones are answered', async () => {
    const gateway = answering();
    const { transfers } = transfersByHand();
    const door = await grpcDoor(gateway, { transfers });
    const [greedy, other] = [door.session(), door.session()];
    const held = Array.from({ length: 4 }, () => open(greedy, method));
    for (const stream of held) stream.write(enveloped(Buffer.alloc(1000), { length: MIB }));
    await expect.poll(() => transfers.budget.requestBytes).toBe(4 * MIB);
    const refused = open(greedy, method);
    refused.write(enveloped(Buffer.alloc(1000), { length: MIB }));
    const [headers] = (await once(refused, 'response')) as [IncomingHttpHeaders];
    expect([headers['grpc-status'], reasonOf(headers)]).toEqual(['14', 'OVERLOADED']);
    expect(Number(headers['grpc-retry-pushback-ms'])).toBeGreaterThan(0);
    for (const session of [greedy, other]) {
      const small = open(session, method);
      small.end(enveloped(hello));
      expect((await endOf(small))['grpc-status']).toBe('0');
    }
    const large = open(other, method);
    large.write(enveloped(Buffer.alloc(1000), { length: MIB }));
    await expect.poll(() => transfers.budget.requestBytes).toBe(5 * MIB);
    for (const stream of [...held, large, refused]) stream.close();
    await expect.poll(() => transfers.budget.requestBytes).toBe(0);
    expect(transfers.budget.refused.bytes_in_flight).toBe(1);
  });

  test('a request that does not arrive in time is refused, without a deadline too', async () => {
    const gateway = answering();
    const { transfers, look } = transfersByHand();
    const session = (await grpcDoor(gateway, { transfers })).session();
    const stream = open(session, method);
    stream.write(enveloped(Buffer.alloc(1000), { length: 2000 }));
    await expect.poll(() => transfers.budget.requestBytes).toBe(2000);
    look(1_000);
    look(59_999);
    const answered = once(stream, 'response') as Promise<[IncomingHttpHeaders]>;
    look(1);
    const [headers] = await answered;
    expect([headers['grpc-status'], reasonOf(headers)]).toEqual(['4', 'DEADLINE']);
    expect(transfers.budget.requestBytes).toBe(0);
    // It goes on sending: after a while nobody listens any more.
    look(1_000);
    look(5_000);
    await endOf(stream);
    expect(stream.rstCode).toBe(0);
  });

  test('where there is no room, a request that stands still for 5 s is refused', async () => {
    const { transfers, look } = transfersByHand();
    const door = await grpcDoor(answering(), { transfers });
    const streams = [door.session(), door.session()].flatMap((session) =>
      [0, 1, 2, 3].map(() => {
        const stream = open(session, method);
        stream.write(enveloped(Buffer.alloc(1000), { length: MIB - 1 }));
        return stream;
      }),
    );
    await expect.poll(() => transfers.budget.refused.bytes_in_flight).toBe(2);
    transfers.budget.open('another').answer(MIB);
    look(1_000);
    look(4_999);
    expect(transfers.budget.refused.receive_timeout).toBe(0);
    look(1);
    expect(transfers.budget.refused.receive_timeout).toBe(6);
    for (const stream of streams) stream.close();
  });
});

describe('an answer', () => {
  test('that nobody reads counts, and is cut off in the end, without a deadline too', async () => {
    const { transfers, look } = transfersByHand({ maxMessageBytes: 4 * MIB }, 16 * MIB);
    const session = (await grpcDoor(answering('a'.repeat(MIB)), { transfers })).session();
    const stream = open(session, 'Chat');
    stream.end(enveloped(hello));
    await expect.poll(() => transfers.budget.answerBytes).toBeGreaterThan(2 * MIB);
    look(1_000);
    look(59_999);
    expect(transfers.budget.refused.send_timeout).toBe(0);
    look(1);
    expect(transfers.budget.refused.send_timeout).toBe(1);
    await once(stream, 'close');
    expect(stream.rstCode).toBe(8);
    await expect.poll(() => transfers.budget.answerBytes).toBe(0);
  });

  test('that is read is not cut off where there is no room, and is once it stands still for 5 s', async () => {
    const { transfers, look } = transfersByHand({ maxMessageBytes: 4 * MIB }, 16 * MIB);
    const session = (await grpcDoor(answering('a'.repeat(MIB)), { transfers })).session();
    const stream = open(session, 'Chat');
    stream.end(enveloped(hello));
    await expect.poll(() => transfers.budget.answerBytes).toBeGreaterThan(2 * MIB);
    transfers.budget.open('another').answer(16 * MIB);
    look(1_000);
    for (let round = 0; round < 3; round += 1) {
      await readSome(stream, 256 * 1024);
      look(4_999);
    }
    expect(transfers.budget.refused.send_timeout).toBe(0);
    look(5_000);
    expect(transfers.budget.refused.send_timeout).toBe(1);
  });

  test('that is read slowly comes whole where there is no room', async () => {
    const { transfers, look } = transfersByHand({ maxMessageBytes: 4 * MIB }, 16 * MIB);
    const session = (await grpcDoor(answering('a'.repeat(MIB)), { transfers })).session();
    const stream = open(session, 'Chat');
    const ended = once(stream, 'trailers') as Promise<[IncomingHttpHeaders]>;
    stream.end(enveloped(hello));
    await expect.poll(() => transfers.budget.answerBytes).toBeGreaterThan(2 * MIB);
    transfers.budget.open('another').answer(16 * MIB);
    look(1_000);
    for (let round = 0; round < 3; round += 1) {
      await readSome(stream, 256 * 1024);
      look(4_999);
    }
    stream.resume();
    const [trailers] = await ended;
    expect(trailers['grpc-status']).toBe('0');
    expect(transfers.budget.refused.send_timeout).toBe(0);
  });

  test('is not kept longer than its deadline, and the 2 s by which clients round it up', async () => {
    const { transfers, look } = transfersByHand({ maxMessageBytes: 4 * MIB }, 16 * MIB);
    const session = (await grpcDoor(answering('a'.repeat(MIB)), { transfers })).session();
    const stream = open(session, 'Chat', { 'grpc-timeout': '10S' });
    stream.end(enveloped(hello));
    await expect.poll(() => transfers.budget.answerBytes).toBeGreaterThan(2 * MIB);
    look(1_000);
    look(8_000);
    expect(transfers.budget.refused.send_timeout).toBe(0);
    look(4_000);
    expect(transfers.budget.refused.send_timeout).toBe(1);
  });

  test('of a stream is cut off behind its deadline too, where its end would wait behind what is not read', async () => {
    const { transfers, look } = transfersByHand({ maxMessageBytes: 4 * MIB }, 16 * MIB);
    const session = (await grpcDoor(streaming('a'.repeat(MIB)), { transfers })).session();
    const stream = open(session, 'StreamChat', { 'grpc-timeout': '10S' });
    stream.end(enveloped(hello));
    await expect.poll(() => transfers.budget.answerBytes).toBeGreaterThan(0);
    look(9_000);
    expect(transfers.budget.refused.send_timeout).toBe(0);
    look(4_000);
    expect(transfers.budget.refused.send_timeout).toBe(1);
    await once(stream, 'close');
    expect(stream.rstCode).toBe(8);
  });

  test('that is read is counted no more', async () => {
    const { transfers } = transfersByHand({ maxMessageBytes: 4 * MIB }, 16 * MIB);
    const session = (await grpcDoor(answering('a'.repeat(MIB)), { transfers })).session();
    for (const method of ['Chat', 'StreamChat']) {
      const stream = open(session, method);
      stream.end(enveloped(hello));
      expect((await endOf(stream))['grpc-status']).toBe('0');
      await expect.poll(() => transfers.budget.answerBytes).toBe(0);
    }
  });

  test('that no message can hold has its trail, and forbids to buy it again', async () => {
    const session = (await grpcDoor(answering('a'.repeat(20 * MIB)))).session();
    const stream = open(session, 'Chat');
    stream.end(enveloped(hello));
    const end = await endOf(stream);
    expect([end['grpc-status'], reasonOf(end), end['grpc-retry-pushback-ms']]).toEqual([
      '8',
      'MESSAGE_TOO_LARGE',
      '-1',
    ]);
    const status = fromBinary(StatusSchema, Buffer.from(String(end['grpc-status-details-bin']), 'base64'));
    expect(status.details.some(({ typeUrl }) => typeUrl.endsWith(AttemptTrailSchema.typeName))).toBe(true);
  });
});
