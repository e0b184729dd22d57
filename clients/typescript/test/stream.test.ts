import { getEventListeners } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { CallScope } from '../src/calls/call-scope.ts';
import { CallStream } from '../src/calls/call-stream.ts';
import { Code, collect, createLlmClient, decodeError, type LlmClient, type StreamChatResponse } from '../src/index.ts';
import { type EventInit, finished, numbered, textDelta } from './support/events.ts';
import { type GatewayScript, startGateway, StatusError, type StreamCall } from './support/gateway.ts';
import { startRelay } from './support/relay.ts';

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0).toReversed()) close();
});

async function clientOf(script: GatewayScript): Promise<LlmClient> {
  const gateway = await startGateway(script);
  const client = createLlmClient(gateway.address);
  closers.push(gateway.close, client.close);
  return client;
}

/** Serves streams that begin with some events and then wait; tells what became of the call. */
async function serveOpenStream(events: readonly EventInit[]) {
  const cancelled = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<StreamCall>();
  let calls = 0;
  const client = await clientOf({
    streamChat: (call) => {
      calls += 1;
      call.once('cancelled', () => cancelled.resolve());
      for (const response of numbered(events)) call.write(response);
      arrived.resolve(call);
    },
  });
  return { client, cancelled: cancelled.promise, arrived: arrived.promise, calls: () => calls };
}

function writeAll(call: StreamCall, events: readonly EventInit[]): void {
  for (const response of numbered(events)) call.write(response);
  call.end();
}

describe('a stream', () => {
  it('gives the events in order and ends', async () => {
    const client = await clientOf({
      streamChat: (call) => writeAll(call, [textDelta('a'), textDelta('b'), finished()]),
    });
    const seen: unknown[] = [];
    for await (const { sequence, event } of client.streamChat({})) seen.push([sequence, event.case]);
    expect(seen).toEqual([
      [1n, 'textDelta'],
      [2n, 'textDelta'],
      [3n, 'finished'],
    ]);
  });

  it('starts with the first read, once', async () => {
    const { client, arrived, calls } = await serveOpenStream([textDelta('a')]);
    const unread = client.streamChat({});
    await unread.return?.();
    const stream = client.streamChat({});
    await stream.next();
    await arrived;
    expect(calls()).toBe(1);
    expect((await unread.next()).done).toBe(true);
  });

  it('has a deadline of 600 s, or that of the call', async () => {
    const left: number[] = [];
    const client = await clientOf({
      streamChat: (call) => {
        left.push(Number(call.getDeadline()) - Date.now());
        writeAll(call, [finished()]);
      },
    });
    await collect(client.streamChat({}));
    await collect(client.streamChat({}, { timeoutMs: 5000 }));
    expect(left[0]).toBeGreaterThan(590_000);
    expect(left[0]).toBeLessThanOrEqual(600_000);
    expect(left[1]).toBeLessThanOrEqual(5000);
  });

  it('ends with DEADLINE_EXCEEDED when time is up, and the server sees the end', async () => {
    const { client, cancelled, calls } = await serveOpenStream([textDelta('a')]);
    // On a busy machine time may be up before the server has the call.
    for (let timeoutMs = 50; calls() === 0; timeoutMs *= 2) {
      await expect(collect(client.streamChat({}, { timeoutMs }))).rejects.toMatchObject({
        code: Code.DeadlineExceeded,
      });
    }
    await cancelled;
  });

  it('throws the error of the server after what came before it', async () => {
    const client = await clientOf({
      streamChat: (call) => {
        for (const response of numbered([textDelta('a')])) call.write(response);
        call.emit('error', new StatusError(Code.Aborted, 'broken off'));
      },
    });
    const seen: StreamChatResponse[] = [];
    await expect(collect(client.streamChat({}), (event) => seen.push(event))).rejects.toMatchObject({
      code: Code.Aborted,
      rawMessage: 'broken off',
    });
    expect(seen).toHaveLength(1);
  });

  it('that ends well without "finished" throws, as an interrupted answer', async () => {
    const client = await clientOf({ streamChat: (call) => writeAll(call, [textDelta('a')]) });
    const read = async (): Promise<void> => {
      for await (const _event of client.streamChat({}));
    };
    const error: unknown = await read().catch((caught: unknown) => caught);
    expect(decodeError(error)).toMatchObject({ code: Code.Aborted, reason: 'STREAM_INTERRUPTED', mayRetry: false });
  });

  it('whose connection breaks throws', async () => {
    const gateway = await startGateway({
      streamChat: (call) => {
        for (const response of numbered([textDelta('a')])) call.write(response);
      },
    });
    const relay = await startRelay(gateway.port);
    const client = createLlmClient(relay.address);
    closers.push(gateway.close, relay.close, client.close);
    const error: unknown = await collect(client.streamChat({}), () => relay.cut()).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(Error);
    expect(decodeError(error)).toMatchObject({ reason: '', mayRetry: false });
  });
});

describe('leaving a stream early aborts the call at the server', () => {
  it('by break', async () => {
    const { client, cancelled } = await serveOpenStream([textDelta('a'), textDelta('b')]);
    for await (const _event of client.streamChat({})) break;
    await cancelled;
  });

  it('in the same turn, even while a read is pending', async () => {
    const scope = new CallScope(0, undefined, new AbortController().signal);
    const stream = new CallStream<never>({
      begin: () => scope,
      open: () => scope.within(new Promise<never>(() => {})),
      isLast: () => false,
      unfinished: () => undefined,
    });
    const read = stream.next();
    await Promise.resolve();
    expect(scope.signal.aborted).toBe(false);
    void stream.return();
    expect(scope.signal.aborted).toBe(true);
    await expect(read).rejects.toMatchObject({ code: Code.Canceled });
  });

  it('by return', async () => {
    const { client, cancelled } = await serveOpenStream([textDelta('a')]);
    const first = async (): Promise<bigint> => {
      for await (const { sequence } of client.streamChat({})) return sequence;
      return 0n;
    };
    expect(await first()).toBe(1n);
    await cancelled;
  });

  it('by an exception in the loop', async () => {
    const { client, cancelled } = await serveOpenStream([textDelta('a')]);
    const failing = collect(client.streamChat({}), () => {
      throw new Error('of the reader');
    });
    await expect(failing).rejects.toThrow('of the reader');
    await cancelled;
  });

  it('by the method throw', async () => {
    const { client, cancelled } = await serveOpenStream([textDelta('a')]);
    const stream = client.streamChat({});
    await stream.next();
    await expect(stream.throw?.(new Error('enough'))).rejects.toThrow('enough');
    await cancelled;
    expect((await stream.next()).done).toBe(true);
  });

  it('while a read is pending, which then fails', async () => {
    const { client, cancelled, arrived } = await serveOpenStream([]);
    const stream = client.streamChat({});
    const pending = stream.next();
    await arrived;
    await stream.return?.();
    await expect(pending).rejects.toMatchObject({ code: Code.Canceled });
    await cancelled;
  });

  it('by the signal of the call', async () => {
    const { client, cancelled } = await serveOpenStream([textDelta('a')]);
    const controller = new AbortController();
    const stream = client.streamChat({}, { signal: controller.signal });
    await stream.next();
    controller.abort();
    await expect(stream.next()).rejects.toMatchObject({ code: Code.Canceled });
    await cancelled;
  });

  it('and a signal that was aborted before sends nothing on', async () => {
    const { client } = await serveOpenStream([textDelta('a')]);
    const signal = AbortSignal.abort();
    await expect(client.streamChat({}, { signal }).next()).rejects.toMatchObject({ code: Code.Canceled });
  });
});

describe('a signal that outlives many streams', () => {
  it('keeps no listener of them', async () => {
    const client = await clientOf({ streamChat: (call) => writeAll(call, [textDelta('a'), finished()]) });
    const { signal } = new AbortController();
    await collect(client.streamChat({}, { signal }));
    for await (const _event of client.streamChat({}, { signal })) break;
    await client.chat({}, { signal }).catch(() => {});
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

describe('leaving a stream at "finished"', () => {
  it('lets the call end by itself instead of resetting it', async () => {
    const ended = Promise.withResolvers<string>();
    const left = Promise.withResolvers<void>();
    const client = await clientOf({
      streamChat: (call) => {
        call.once('cancelled', () => ended.resolve('cancelled'));
        call.once('finish', () => ended.resolve('finished'));
        for (const response of numbered([finished()])) call.write(response);
        void left.promise.then(() => call.end());
      },
    });
    for await (const { event } of client.streamChat({})) {
      if (event.case === 'finished') break;
    }
    // A reset would have left by now.
    for (let turn = 0; turn < 50; turn += 1) await setImmediate();
    left.resolve();
    expect(await ended.promise).toBe('finished');
  });
});
