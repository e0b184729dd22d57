import { toBinary } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { ChatRequestSchema, type StreamChatResponse } from '../../../gen/understudy/v1/llm_pb.ts';
import { grpcDoor, rawCall } from '../support/doors.ts';
import { fakeGateway, success, untilAborted } from '../support/fake-gateway.ts';
import { chat } from '../support/requests.ts';

const hello = toBinary(ChatRequestSchema, chat());
const messages = chat().messages;

describe('deadlines', () => {
  test("the caller's deadline goes to the engine; 1000 hours are no deadline of now", async () => {
    const gateway = fakeGateway(() => Promise.resolve(success()));
    const door = await grpcDoor(gateway);
    const session = door.session();
    for (const timeout of ['90S', '1000H', '99999999H']) {
      const { trailers } = await rawCall(session, 'Chat', hello, { 'grpc-timeout': timeout });
      expect(trailers?.['grpc-status']).toBe('0');
    }
    const [short, ...long] = gateway.calls.map((call) => call.timeoutMs ?? 0);
    expect(short).toBeGreaterThan(80_000);
    expect(short).toBeLessThanOrEqual(90_000);
    for (const timeoutMs of long) expect(timeoutMs).toBeGreaterThan(2_147_000_000);
    await rawCall(session, 'Chat', hello);
    expect(gateway.calls.at(-1)?.timeoutMs).toBeUndefined();
  });

  test('a deadline that passes aborts the engine and is told', async () => {
    const gateway = fakeGateway(untilAborted);
    const door = await grpcDoor(gateway);
    // Of the gateway's clock alone: no clock of a client ends it before it has come.
    const { headers, trailers = headers } = await rawCall(door.session(), 'Chat', hello, { 'grpc-timeout': '30m' });
    expect(trailers['grpc-status']).toBe('4');
    await expect.poll(() => gateway.ends.length).toBe(1);
    expect(gateway.calls[0]?.signal.aborted).toBe(true);
  });

  test("a deadline that is none is the library's error", async () => {
    const door = await grpcDoor(fakeGateway(() => Promise.resolve(success())));
    const { headers } = await rawCall(door.session(), 'Chat', hello, { 'grpc-timeout': 'soon' });
    expect(headers['grpc-status']).toBe('13');
  });
});

describe('cancel', () => {
  test.each(['Chat', 'StreamChat'])(
    '%s: a reset stream aborts the engine, and the end is told once',
    async (method) => {
      const started = Promise.withResolvers<AbortSignal>();
      const gateway = fakeGateway((call) => {
        started.resolve(call.signal);
        return untilAborted(call);
      });
      const door = await grpcDoor(gateway);
      const abort = new AbortController();
      const client = door.client();
      const call =
        method === 'Chat'
          ? client.chat({ messages }, { signal: abort.signal })
          : first(client.streamChat({ messages }, { signal: abort.signal }));
      const ended = call.catch((thrown: unknown) => ConnectError.from(thrown).code);
      const signal = await started.promise;
      const aborted = new Promise((resolve) => {
        signal.addEventListener('abort', resolve, { once: true });
      });
      abort.abort();
      await aborted;
      expect(await ended).toBe(Code.Canceled);
      await expect.poll(() => gateway.ends.length).toBe(1);
    },
  );

  test('a lost connection aborts the engine', async () => {
    const started = Promise.withResolvers<AbortSignal>();
    const door = await grpcDoor(
      fakeGateway((call) => {
        started.resolve(call.signal);
        return untilAborted(call);
      }),
    );
    const session = door.session();
    const call = rawCall(session, 'StreamChat', hello).catch(() => undefined);
    const signal = await started.promise;
    const aborted = new Promise((resolve) => {
      signal.addEventListener('abort', resolve, { once: true });
    });
    session.destroy();
    await aborted;
    await call;
  });

  test('a call that ends well is not aborted', async () => {
    let aborted = false;
    const door = await grpcDoor(
      fakeGateway((call) => {
        call.signal.addEventListener('abort', () => {
          aborted = call.signal.reason instanceof ConnectError;
        });
        return Promise.resolve(success());
      }),
    );
    await door.client().chat({ messages });
    await door.client().health({});
    expect(aborted).toBe(false);
  });
});

async function first(stream: AsyncIterable<StreamChatResponse>): Promise<unknown> {
  for await (const event of stream) return event;
  return undefined;
}
