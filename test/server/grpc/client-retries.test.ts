import { toBinary } from '@bufbuild/protobuf';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { ChatRequestSchema } from '../../../gen/understudy/v1/llm_pb.ts';
import type { CallFailure } from '../../../src/engine/port/call.ts';
import { grpcDoor } from '../support/doors.ts';
import { failed, fakeGateway } from '../support/fake-gateway.ts';
import { chat } from '../support/requests.ts';

const RETRY_POLICY = JSON.stringify({
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
});

const METHODS = ['Chat', 'StreamChat'] as const;

/** What a client with a retry policy and so much time is told of a call that fails so, and after how many attempts. */
async function toldWithin(deadlineMs: number, method: (typeof METHODS)[number], failure: Partial<CallFailure>) {
  const gateway = fakeGateway(() => Promise.resolve(failed({ contacted: false, ...failure })));
  const { door } = await grpcDoor(gateway);
  const client = new Client(door.address, credentials.createInsecure(), { 'grpc.service_config': RETRY_POLICY });
  const request = toBinary(ChatRequestSchema, chat());
  const path = `/understudy.v1.LlmService/${method}`;
  const write = (bytes: Uint8Array): Buffer => Buffer.from(bytes);
  const read = (bytes: Buffer): Buffer => bytes;
  const options = { deadline: Date.now() + deadlineMs };
  const { promise, resolve } = Promise.withResolvers<ServiceError>();
  if (method === 'Chat') {
    client.makeUnaryRequest(path, write, read, request, new Metadata(), options, (error) => {
      if (error !== null) resolve(error);
    });
  } else {
    const call = client.makeServerStreamRequest(path, write, read, request, new Metadata(), options);
    call.on('error', resolve);
    call.resume();
  }
  const error = await promise;
  client.close();
  return { code: error.code, attempts: gateway.calls.length };
}

describe.each(METHODS)('a client of %s with a retry policy', (method) => {
  test('is told at once what is wrong, where the wait does not fit into its deadline', async () => {
    const told = await toldWithin(5_000, method, { reason: 'CIRCUIT_OPEN', retryAfterMs: 30_000 });
    expect(told).toEqual({ code: status.UNAVAILABLE, attempts: 1 });
  });

  test('waits as long as it is asked to where that fits', async () => {
    const told = await toldWithin(5_000, method, { reason: 'CIRCUIT_OPEN', retryAfterMs: 20 });
    expect(told).toEqual({ code: status.UNAVAILABLE, attempts: 3 });
  });

  test('comes again soon where a replica goes down', async () => {
    const told = await toldWithin(5_000, method, { reason: 'SHUTTING_DOWN' });
    expect(told).toEqual({ code: status.UNAVAILABLE, attempts: 3 });
  });
});
