import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ConnectError } from '@connectrpc/connect';
import { Client as GrpcClient, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from '../../../gen/google/rpc/error_details_pb.ts';
import { StatusSchema } from '../../../gen/google/rpc/status_pb.ts';
import { MessageSchema, Role } from '../../../gen/understudy/v1/chat_pb.ts';
import {
  ChatRequestSchema,
  type ChatResponse,
  ChatResponseSchema,
  HealthRequestSchema,
  StreamChatRequestSchema,
} from '../../../gen/understudy/v1/llm_pb.ts';
import { AttemptTrailSchema } from '../../../gen/understudy/v1/routing_pb.ts';
import { MAX_MESSAGE_BYTES } from '../../../src/server/port/limits.ts';
import { grpcDoor, rawCall, type TestDoor } from '../support/doors.ts';
import { attempt, failed, failure, fakeGateway, SERVING, success, untilAborted } from '../support/fake-gateway.ts';
import { chat } from '../support/requests.ts';

const hello = toBinary(ChatRequestSchema, chat());
const messages = chat().messages;

function grpcChat(door: TestDoor, options: Record<string, unknown> = {}, request = hello): Promise<ChatResponse> {
  const client = new GrpcClient(door.door.address, credentials.createInsecure(), options);
  const { promise, resolve, reject } = Promise.withResolvers<ChatResponse>();
  client.makeUnaryRequest(
    '/understudy.v1.LlmService/Chat',
    (bytes: Uint8Array) => Buffer.from(bytes),
    (bytes) => fromBinary(ChatResponseSchema, bytes),
    request,
    new Metadata(),
    (error, response) => {
      client.close();
      if (error !== null) reject(error);
      else if (response !== undefined) resolve(response);
    },
  );
  return promise;
}

describe('unary calls', () => {
  test('a grpc-js client and a connect client get the answer and the id in the headers', async () => {
    const door = await grpcDoor(
      fakeGateway(() => Promise.resolve(success([{ kind: 'text', index: 0, text: 'grüß dich' }]))),
    );
    expect(await grpcChat(door)).toMatchObject({ text: 'grüß dich', requestId: 'made-here' });
    let id: string | null = null;
    const onHeader = (headers: Headers): void => {
      id = headers.get('x-request-id');
    };
    expect(await door.client().chat({ messages }, { onHeader, headers: { 'x-request-id': 'mine' } })).toMatchObject({
      text: 'grüß dich',
    });
    expect(id).toBe('mine');
  });

  test('errors carry their details, decoded by both clients', async () => {
    const refusedTo = failed({ contacted: false, retryAfterMs: 2000, message: '100 % "ünicode"\n' }, [
      attempt({ failure: failure() }),
    ]);
    const door = await grpcDoor(fakeGateway(() => Promise.resolve(refusedTo)));
    const error = await grpcChat(door).then(
      () => undefined,
      (thrown: ServiceError) => thrown,
    );
    expect(error).toMatchObject({ code: status.UNAVAILABLE, details: '100 % "ünicode"\n' });
    const bytes = error?.metadata.get('grpc-status-details-bin')[0];
    const decoded = fromBinary(StatusSchema, Buffer.from(bytes ?? ''));
    expect(decoded.message).toBe('100 % "ünicode"\n');
    const told = ConnectError.from(
      await door
        .client()
        .chat({ messages })
        .catch((thrown: unknown) => thrown),
    );
    expect(told.findDetails(ErrorInfoSchema)[0]).toMatchObject({
      reason: 'ALL_PROVIDERS_FAILED',
      domain: 'understudy',
    });
    expect(told.findDetails(RetryInfoSchema)[0]?.retryDelay?.seconds).toBe(2n);
    expect(told.findDetails(AttemptTrailSchema)[0]?.attempts).toHaveLength(1);
    const invalid = ConnectError.from(
      await door
        .client()
        .chat({})
        .catch((thrown: unknown) => thrown),
    );
    expect(invalid.findDetails(BadRequestSchema)[0]?.fieldViolations[0]?.field).toBe('messages');
  });

  test('messages may have 20 MiB, and no more; at most 8 MiB of it text', async () => {
    const door = await grpcDoor(fakeGateway(() => Promise.resolve(success())));
    const mebibyte = 1024 * 1024;
    const image = (bytes: number) => {
      const data = new Uint8Array(bytes);
      data.set([0xff, 0xd8, 0xff]);
      const source = { case: 'data', value: data } as const;
      return { part: { case: 'image', value: { mediaType: 'image/jpeg', source } } } as const;
    };
    const ofSize = (textBytes: number, ...images: number[]) => {
      const text = { part: { case: 'text', value: 'a'.repeat(textBytes) } } as const;
      const message = create(MessageSchema, { role: Role.USER, content: [text, ...images.map(image)] });
      return toBinary(ChatRequestSchema, chat({ messages: [message] }));
    };
    const largest = ofSize(4 * mebibyte - 200, 8 * mebibyte, 8 * mebibyte);
    expect(MAX_MESSAGE_BYTES - largest.byteLength).toBeLessThan(200);
    expect((await grpcChat(door, {}, largest)).requestId).toBe('made-here');
    expect((await grpcChat(door, {}, ofSize(8 * mebibyte - 100))).requestId).toBe('made-here');
    for (const refused of [ofSize(4 * mebibyte, 8 * mebibyte, 8 * mebibyte), ofSize(8 * mebibyte)]) {
      const error = await grpcChat(door, {}, refused).catch((thrown: ServiceError) => thrown);
      expect(error).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
      if (!('metadata' in error) || !(error instanceof Error)) throw new Error('the call went well');
      expect(error.metadata.get('grpc-retry-pushback-ms')).toEqual(['-1']);
    }
  });
});

describe('errors on the wire', () => {
  const body = toBinary(StreamChatRequestSchema, create(StreamChatRequestSchema, { messages }));

  test.each(['Chat', 'StreamChat'])('%s: before contact it is Trailers-Only with a pushback', async (method) => {
    const door = await grpcDoor(
      fakeGateway(() => Promise.resolve(failed({ contacted: false, reason: 'CIRCUIT_OPEN' }))),
    );
    const { headers, trailers } = await rawCall(door.session(), method, body);
    expect(trailers).toBeUndefined();
    expect(headers).toMatchObject({
      'grpc-status': '14',
      'grpc-retry-pushback-ms': '282',
      'x-request-id': 'made-here',
    });
    expect(headers['grpc-status-details-bin']).toBeDefined();
  });

  test.each(['Chat', 'StreamChat'])(
    '%s: after contact it comes after the headers and forbids a repeat',
    async (method) => {
      const door = await grpcDoor(fakeGateway(() => Promise.resolve(failed())));
      const { headers, trailers } = await rawCall(door.session(), method, body);
      expect(headers['grpc-status']).toBeUndefined();
      expect(headers['x-request-id']).toBe('made-here');
      expect(trailers).toMatchObject({ 'grpc-status': '14', 'grpc-retry-pushback-ms': '-1' });
    },
  );

  test('a client with a retry policy repeats only what never reached a provider', async () => {
    const serviceConfig = {
      methodConfig: [
        {
          name: [{}],
          retryPolicy: {
            maxAttempts: 3,
            initialBackoff: '0.01s',
            maxBackoff: '0.01s',
            backoffMultiplier: 1,
            retryableStatusCodes: ['UNAVAILABLE'],
          },
        },
      ],
    };
    const callsOf = async (contacted: boolean): Promise<number> => {
      const gateway = fakeGateway(() => Promise.resolve(failed({ contacted, reason: 'OVERLOADED' })));
      const door = await grpcDoor(gateway);
      await grpcChat(door, { 'grpc.service_config': JSON.stringify(serviceConfig) }).catch(() => undefined);
      return gateway.calls.length;
    };
    expect(await callsOf(false)).toBe(3);
    expect(await callsOf(true)).toBe(1);
  });
});

test('a malformed :authority, an unknown method and a bad message harm nobody', async () => {
  const door = await grpcDoor(fakeGateway(() => Promise.resolve(success())));
  const session = door.session();
  for (const authority of ['[', 'a:b:c', '%']) {
    const { trailers } = await rawCall(session, 'Health', toBinary(HealthRequestSchema, create(HealthRequestSchema)), {
      ':authority': authority,
    });
    expect(trailers?.['grpc-status']).toBe('0');
  }
  expect((await rawCall(session, 'Nothing', hello)).headers['grpc-status']).toBe('12');
  expect((await rawCall(session, 'Chat', new Uint8Array([255]))).headers['grpc-status']).toBe('13');
  expect((await door.client().health({})).version).toBe('0.0.0-test');
});

test('the address may be IPv6; one that is taken is refused', async () => {
  const door = await grpcDoor(
    fakeGateway(() => Promise.resolve(success())),
    { address: '[::1]:0' },
  );
  expect(door.door.address).toMatch(/^\[::1\]:[1-9]\d*$/);
  expect((await door.client().health({})).version).toBe('0.0.0-test');
  await expect(grpcDoor(fakeGateway(untilAborted), { address: door.door.address })).rejects.toThrow();
});

test('a stream of many events arrives whole', async () => {
  const door = await grpcDoor(
    fakeGateway(async (call) => {
      call.client?.started(SERVING);
      for (let index = 0; index < 500; index += 1) call.client?.output({ kind: 'text', index: 0, text: `${index},` });
      return Promise.resolve(success());
    }),
  );
  let text = '';
  let last = 0;
  for await (const { sequence, event } of door.client().streamChat({ messages })) {
    expect(Number(sequence)).toBe(last + 1);
    last = Number(sequence);
    if (event.case === 'textDelta') text += event.value.text;
  }
  expect(text).toBe(Array.from({ length: 500 }, (_, index) => `${index},`).join(''));
});
