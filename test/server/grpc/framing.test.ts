import type { ClientHttp2Session } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { ChatRequestSchema } from '../../../gen/understudy/v1/llm_pb.ts';
import { grpcDoor } from '../support/doors.ts';
import { fakeGateway, SERVING, success } from '../support/fake-gateway.ts';
import { chat } from '../support/requests.ts';
import { enveloped } from '../support/web-envelopes.ts';

const MESSAGE = toBinary(ChatRequestSchema, chat());

interface GrpcEnd {
  readonly status: string;
  readonly message: string;
}

/** Sends bytes as a request, in one piece or byte by byte, and returns the status that the call ends with. */
function send(
  session: ClientHttp2Session,
  method: string,
  pieces: readonly Uint8Array[],
  headers: Readonly<Record<string, string>>,
): Promise<GrpcEnd> {
  const path = `/understudy.v1.LlmService/${method}`;
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  for (const piece of pieces) stream.write(piece);
  stream.end();
  return new Promise((resolve, reject) => {
    let end: GrpcEnd = { status: 'none', message: '' };
    const look = (received: Readonly<Record<string, unknown>>): void => {
      const { 'grpc-status': status, 'grpc-message': message } = received;
      if (typeof status === 'string') end = { status, message: typeof message === 'string' ? message : '' };
    };
    stream.on('response', look);
    stream.on('trailers', look);
    stream.on('error', reject);
    stream.on('close', () => resolve(end));
    stream.resume();
  });
}

const whole = enveloped(MESSAGE);
const GZIP = { 'grpc-encoding': 'gzip' };

const faults: readonly (readonly [string, string, Uint8Array, Readonly<Record<string, string>>])[] = [
  ['no message', '12', Buffer.alloc(0), {}],
  ['half a prefix', '13', whole.subarray(0, 3), {}],
  ['half a message', '13', enveloped(MESSAGE, { length: 1_000 }), {}],
  ['two messages', '12', Buffer.concat([whole, whole]), {}],
  ['something behind the message', '12', Buffer.concat([whole, Buffer.alloc(2)]), {}],
  ['a length above the limit', '8', enveloped('x', { length: 30_000_000 }), {}],
  ['compression that nobody names', '13', enveloped(gzipSync(MESSAGE), { flag: 1 }), {}],
  ['compression that is not known', '12', enveloped(MESSAGE, { flag: 1 }), { 'grpc-encoding': 'odd' }],
  ['no gzip', '13', enveloped('not gzip', { flag: 1 }), GZIP],
  ['a flag that is not known', '13', enveloped(MESSAGE, { flag: 2 }), {}],
  ['a flag that is not known, of what may be compressed', '13', enveloped(MESSAGE, { flag: 0x81 }), GZIP],
  ['no message of the contract', '13', enveloped(Buffer.of(0xff, 0xff)), {}],
  ...['x', '5', '5 S', 'a5S', '5Sb', '-1S', '123456789S', ''].map(
    (value) => [`the timeout "${value}"`, '13', whole, { 'grpc-timeout': value }] as const,
  ),
];

test.each(faults)(
  '%s: unary and streaming methods say the same, and call nobody',
  async (_name, status, bytes, headers) => {
    const gateway = fakeGateway(() => Promise.resolve(success()));
    const session = (await grpcDoor(gateway)).session();
    const ends = [
      await send(session, 'Chat', [bytes], headers),
      await send(session, 'StreamChat', [bytes], headers),
      await send(
        session,
        'StreamChat',
        [...bytes].map((byte) => Buffer.of(byte)),
        headers,
      ),
    ];
    expect(ends.map((end) => end.status)).toEqual([status, status, status]);
    expect(ends[1]?.message).toBe(ends[0]?.message);
    expect(ends[2]?.message).toBe(ends[0]?.message);
    expect(gateway.calls).toEqual([]);
  },
);

test('what is well formed goes through, compressed or in pieces', async () => {
  const gateway = fakeGateway((call) => {
    call.client?.started(SERVING);
    return Promise.resolve(success());
  });
  const session = (await grpcDoor(gateway)).session();
  const gzipped = enveloped(gzipSync(MESSAGE), { flag: 1 });
  for (const method of ['Chat', 'StreamChat']) {
    expect(
      (
        await send(
          session,
          method,
          [...whole].map((byte) => Buffer.of(byte)),
          {},
        )
      ).status,
    ).toBe('0');
    expect((await send(session, method, [gzipped], GZIP)).status).toBe('0');
    expect((await send(session, method, [whole], { 'grpc-timeout': '99999999H' })).status).toBe('0');
  }
  expect(gateway.calls).toHaveLength(6);
});
