import { create, toBinary } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { expect, test } from 'vitest';
import {
  Health,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus as Status,
} from '../../../gen/grpc/health/v1/health_pb.ts';
import { ErrorInfoSchema } from '../../../gen/google/rpc/error_details_pb.ts';
import { StreamChatRequestSchema } from '../../../gen/understudy/v1/llm_pb.ts';
import type { Delta } from '../../../src/core/answer.ts';
import type { ClientSink, TargetHealth } from '../../../src/engine/port/call.ts';
import { grpcDoor, type TestDoor } from '../support/doors.ts';
import {
  failed,
  fakeGateway,
  type Result,
  SERVING,
  success,
  targetHealth,
  untilAborted,
} from '../support/fake-gateway.ts';
import { chat } from '../support/requests.ts';
import { transfersByHand } from '../support/transfers-by-hand.ts';
import { enveloped } from '../support/web-envelopes.ts';

const { messages } = chat();
const request = toBinary(StreamChatRequestSchema, create(StreamChatRequestSchema, { messages }));
const CHUNK = 'x'.repeat(10_000);

/** Sends StreamChat over plain HTTP/2 and reads nothing. */
function stalledCall(door: TestDoor) {
  const stream = door.session().request({
    ':method': 'POST',
    ':path': '/understudy.v1.LlmService/StreamChat',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.end(enveloped(request));
  stream.on('error', () => undefined);
  stream.pause();
  return stream;
}

/** Writes until the client is to be waited for. */
function fill(client: ClientSink<Delta>): void {
  client.started(SERVING);
  while (client.output({ kind: 'text', index: 0, text: CHUNK }));
}

test('a reader that is slow holds the engine back, and loses nothing', async () => {
  const full = Promise.withResolvers<void>();
  const total = 3000;
  let written = 0;
  let holds = 0;
  const gateway = fakeGateway(
    (call) =>
      new Promise<Result>((resolve) => {
        const write = (): void => {
          while (written < total) {
            written += 1;
            if (call.client?.output({ kind: 'text', index: 0, text: `${written},` + CHUNK.slice(0, 2000) }) === false) {
              holds += 1;
              full.resolve();
              call.client.whenWritable(write);
              return;
            }
            if (written % 10 === 0) {
              setImmediate(write);
              return;
            }
          }
          resolve(success());
        };
        call.client?.started(SERVING);
        write();
      }),
  );
  const door = await grpcDoor(gateway);
  let text = '';
  let finished = false;
  for await (const { event } of door.client().streamChat({ messages })) {
    if (event.case === 'started') await full.promise;
    if (event.case === 'textDelta') text += event.value.text;
    if (event.case === 'finished') finished = true;
  }
  expect(finished).toBe(true);
  expect(holds).toBeGreaterThan(0);
  expect(text).toBe(Array.from({ length: total }, (_, index) => `${index + 1},${CHUNK.slice(0, 2000)}`).join(''));
});

test('a stalled reader of whom the engine tires is reset', async () => {
  const door = await grpcDoor(
    fakeGateway((call) => {
      if (call.client !== undefined) fill(call.client);
      return Promise.resolve(failed({ status: 'CANCELLED', reason: 'SLOW_READER', message: 'the reader is slow' }));
    }),
  );
  const stream = stalledCall(door);
  await new Promise((resolve) => {
    stream.once('close', resolve);
  });
  expect(stream.rstCode).toBe(8);
});

test.each([true, false])('a reader that stalls is reset by the door (the engine is done: %s)', async (isDone) => {
  const gateway = fakeGateway((call) => {
    if (call.client !== undefined) fill(call.client);
    return isDone ? Promise.resolve(success()) : untilAborted(call);
  });
  const { transfers, look } = transfersByHand();
  const stream = stalledCall(await grpcDoor(gateway, { transfers }));
  await expect.poll(() => gateway.calls.length).toBe(1);
  await expect
    .poll(() => {
      look(30_000);
      return stream.rstCode;
    })
    .toBe(8);
  expect(transfers.budget.refused.send_timeout).toBe(1);
});

test('a stalled reader that leaves ends the call', async () => {
  const gateway = fakeGateway((call) => {
    if (call.client !== undefined) fill(call.client);
    return untilAborted(call);
  });
  const stream = stalledCall(await grpcDoor(gateway));
  await expect.poll(() => gateway.calls.length).toBe(1);
  stream.close(8);
  await expect.poll(() => gateway.ends.length).toBe(1);
});

function healthClient(door: TestDoor) {
  return createClient(Health, createGrpcTransport({ baseUrl: door.baseUrl }));
}

test('Check and List tell the names of the contract; an unknown name is not found', async () => {
  const targets = [targetHealth(), targetHealth({ target: 'b', available: false })];
  const door = await grpcDoor(fakeGateway(untilAborted, { targets: () => targets }));
  const health = healthClient(door);
  const { statuses } = await health.list({});
  expect(Object.fromEntries(Object.entries(statuses).map(([name, { status }]) => [name, status]))).toEqual({
    '': Status.SERVING,
    'understudy.v1.LlmService': Status.SERVING,
    liveness: Status.SERVING,
    readiness: Status.SERVING,
    'understudy.target.lead': Status.SERVING,
    'understudy.target.b': Status.NOT_SERVING,
  });
  expect((await health.check({ service: 'understudy.target.b' })).status).toBe(Status.NOT_SERVING);
  for (const service of ['nobody', 'understudy.target.nobody', 'lead']) {
    const error = await health.check({ service }).catch((thrown: unknown) => ConnectError.from(thrown));
    expect(error).toMatchObject({ code: Code.NotFound });
  }
});

test('without a target the gateway lives and is not ready', async () => {
  const health = healthClient(await grpcDoor(fakeGateway(untilAborted, { targets: () => [] })));
  expect((await health.check({})).status).toBe(Status.SERVING);
  expect((await health.check({ service: 'readiness' })).status).toBe(Status.NOT_SERVING);
});

test('Watch tells each change, and waits on a name that is not there yet', async () => {
  let targets: TargetHealth[] = [];
  const door = await grpcDoor(fakeGateway(untilAborted, { targets: () => targets }));
  const abort = new AbortController();
  const stream = healthClient(door).watch({ service: 'understudy.target.lead' }, { signal: abort.signal });
  const watch: AsyncIterator<HealthCheckResponse> = stream[Symbol.asyncIterator]();
  const next = async (): Promise<Status | undefined> => {
    const { value, done } = await watch.next();
    return done === true ? undefined : value.status;
  };
  expect(await next()).toBe(Status.SERVICE_UNKNOWN);
  for (const available of [true, false, true]) {
    targets = [targetHealth({ available })];
    door.serving.changed();
    expect(await next()).toBe(available ? Status.SERVING : Status.NOT_SERVING);
  }
  abort.abort();
  await expect(watch.next()).rejects.toMatchObject({ code: Code.Canceled });
});

test('drain: health says so, running calls go on, new ones are refused, watches do not hold it up', async () => {
  const finish = Promise.withResolvers<Result>();
  const gateway = fakeGateway(() => finish.promise);
  const door = await grpcDoor(gateway);
  const watch = healthClient(door).watch({ service: 'readiness' })[Symbol.asyncIterator]();
  expect(await watch.next()).toMatchObject({ value: { status: Status.SERVING } });
  const running = door.client().chat({ messages });
  await expect.poll(() => gateway.calls.length).toBe(1);
  const drained = door.door.drain(60_000);
  expect(await watch.next()).toMatchObject({ value: { status: Status.NOT_SERVING } });
  const refused = await door
    .client()
    .chat({ messages })
    .catch((thrown: unknown) => ConnectError.from(thrown));
  expect(refused).toMatchObject({ code: Code.Unavailable });
  finish.resolve(success([{ kind: 'text', index: 0, text: 'done' }]));
  expect((await running).text).toBe('done');
  await drained;
  await expect(watch.next()).rejects.toBeInstanceOf(ConnectError);
  await expect(door.client().health({})).rejects.toMatchObject({ code: Code.Unavailable });
});

test('drain: what does not end in time is told that the gateway goes down', async () => {
  const gateway = fakeGateway(untilAborted);
  const door = await grpcDoor(gateway);
  const running = door
    .client()
    .chat({ messages })
    .catch((thrown: unknown) => ConnectError.from(thrown));
  await expect.poll(() => gateway.calls.length).toBe(1);
  await door.door.drain(0);
  const error = await running;
  expect(error).toMatchObject({ code: Code.Unavailable });
  if (!(error instanceof ConnectError)) throw new Error('the call went well');
  expect(error.findDetails(ErrorInfoSchema)[0]?.reason).toBe('SHUTTING_DOWN');
  expect(error.metadata.get('grpc-retry-pushback-ms')).toBe('-1');
});

test('drain: a stream of which a piece is still on its way is told why it ends, too', async () => {
  const gateway = fakeGateway(async (call) => {
    call.client?.started(SERVING);
    // What was written down before the end, and not yet read.
    call.signal.addEventListener('abort', () => call.client?.output({ kind: 'text', index: 0, text: 'late' }));
    return untilAborted(call);
  });
  const door = await grpcDoor(gateway);
  const stream = door.client().streamChat({ messages })[Symbol.asyncIterator]();
  expect(await stream.next()).toMatchObject({ value: { event: { case: 'started' } } });
  const drained = door.door.drain(0);
  const error: unknown = await stream.next().catch((thrown: unknown) => thrown);
  await drained;
  if (!(error instanceof ConnectError)) throw new Error('the stream went on');
  expect(error.code).toBe(Code.Unavailable);
  expect(error.findDetails(ErrorInfoSchema)[0]?.reason).toBe('SHUTTING_DOWN');
  expect(error.metadata.get('grpc-retry-pushback-ms')).toBe('-1');
});
