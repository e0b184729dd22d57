import { toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';

import { ChatRequestSchema } from '../../../gen/understudy/v1/llm_pb.ts';
import type { CallMeter, MeteredCall } from '../../../src/server/port/observed/call-meter.ts';
import { grpcDoor, rawCall } from '../support/doors.ts';
import { failed, fakeGateway, success, untilAborted } from '../support/fake-gateway.ts';
import { chat } from '../support/requests.ts';
import { enveloped } from '../support/web-envelopes.ts';

const HELLO = toBinary(ChatRequestSchema, chat());

/** A meter that keeps what it is told; `next` resolves with the next call that ends. */
function keepingMeter() {
  const methods: string[] = [];
  let ended = Promise.withResolvers<MeteredCall>();
  const meter: CallMeter = {
    started: (method) => {
      methods.push(method);
      return (call) => {
        ended.resolve(call);
        ended = Promise.withResolvers();
      };
    },
  };
  return { meter, methods, next: () => ended.promise };
}

test('a call counts with its method, its status and the bytes of its messages', async () => {
  const { meter, methods, next } = keepingMeter();
  const door = await grpcDoor(
    fakeGateway(() => Promise.resolve(success([{ kind: 'text', index: 0, text: 'hello' }]))),
    { meter },
  );
  const ended = next();
  await rawCall(door.session(), 'Chat', HELLO);
  expect(await ended).toMatchObject({ status: 0, receivedBytes: HELLO.byteLength });
  expect((await ended).sentBytes).toBeGreaterThan(5);
  expect((await ended).durationMs).toBeGreaterThan(0);
  expect(methods).toEqual(['understudy.v1.LlmService/Chat']);
});

test('one that failed counts with its status, and no bytes of an answer', async () => {
  const { meter, next } = keepingMeter();
  const door = await grpcDoor(
    fakeGateway(() => Promise.resolve(failed())),
    { meter },
  );
  const ended = next();
  await rawCall(door.session(), 'Chat', HELLO);
  expect(await ended).toMatchObject({ status: 14, sentBytes: 0 });
});

test('one that its caller leaves counts as cancelled', async () => {
  const { meter, next } = keepingMeter();
  const door = await grpcDoor(fakeGateway(untilAborted), { meter });
  const ended = next();
  const stream = door.session().request({
    ':method': 'POST',
    ':path': '/understudy.v1.LlmService/Chat',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => undefined);
  stream.write(enveloped(HELLO), () => stream.close(8));
  expect(await ended).toMatchObject({ status: 1, sentBytes: 0 });
});

test('unknown methods are not counted', async () => {
  const { meter, methods } = keepingMeter();
  const door = await grpcDoor(
    fakeGateway(() => Promise.resolve(success())),
    { meter },
  );
  await rawCall(door.session(), 'Nothing', HELLO);
  expect(methods).toEqual([]);
});
