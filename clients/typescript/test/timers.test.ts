import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import { Code, createLlmClient, type LlmClient } from '../src/index.ts';
import { finished, numbered, textDelta } from './support/events.ts';
import { startGateway, type StreamCall } from './support/gateway.ts';

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0).toReversed()) close();
});

async function clientOf(streamChat: (call: StreamCall) => void): Promise<LlmClient> {
  const gateway = await startGateway({ streamChat, chat: () => new Promise(() => {}) });
  const client = createLlmClient(gateway.address, { maxRetries: 0 });
  closers.push(gateway.close, client.close);
  return client;
}

/** Timers that keep the process alive. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
}

/** The server is in this process: its timers go with the calls, a moment later. */
async function expectNoMoreThan(before: number): Promise<void> {
  const deadlineAtMs = performance.now() + 60_000;
  while (timers() > before && performance.now() < deadlineAtMs) await new Promise(setImmediate);
  expect(timers()).toBeLessThanOrEqual(before);
}

function answer(call: StreamCall): void {
  for (const response of numbered([textDelta('a'), finished()])) call.write(response);
  call.end();
}

function stall(call: StreamCall): void {
  for (const response of numbered([textDelta('a')])) call.write(response);
}

const ENDS: Record<string, readonly [serve: (call: StreamCall) => void, run: (client: LlmClient) => Promise<unknown>]> =
  {
    'ends well': [answer, (client) => client.streamChat({}).collect()],
    'is left at its first event': [
      stall,
      async (client) => {
        for await (const _event of client.streamChat({})) break;
      },
    ],
    'is left at "finished"': [
      answer,
      async (client) => {
        for await (const { event } of client.streamChat({})) if (event.case === 'finished') break;
      },
    ],
    'is aborted by its caller': [
      stall,
      async (client) => {
        const controller = new AbortController();
        const stream = client.streamChat({}, { signal: controller.signal });
        await stream.next();
        controller.abort();
        await expect(stream.next()).rejects.toMatchObject({ code: Code.Canceled });
      },
    ],
    'is left while the first read is pending': [
      () => {},
      async (client) => {
        const stream = client.streamChat({});
        const read = stream.next();
        await new Promise(setImmediate);
        await stream.return();
        await expect(read).rejects.toMatchObject({ code: Code.Canceled });
      },
    ],
    fails: [
      (call) => {
        call.emit('error', { code: Code.Internal, details: 'x' });
      },
      (client) => expect(client.streamChat({}).collect()).rejects.toMatchObject({ code: Code.Internal }),
    ],
    'reaches its deadline': [
      stall,
      (client) =>
        expect(client.streamChat({}, { timeoutMs: 40 }).collect()).rejects.toMatchObject({
          code: Code.DeadlineExceeded,
        }),
    ],
    'is never read': [
      answer,
      (client) => {
        client.streamChat({});
        return Promise.resolve();
      },
    ],
    'is disposed of': [
      stall,
      async (client) => {
        await using stream = client.streamChat({});
        await stream.next();
      },
    ],
  };

describe('a stream that', () => {
  it.each(Object.entries(ENDS))('%s leaves no timer behind', async (_end, [serve, run]) => {
    const client = await clientOf(serve);
    const before = timers();
    for (let turn = 0; turn < 20; turn += 1) await run(client);
    await expectNoMoreThan(before);
  });
});

describe('a stream that nobody holds any more', () => {
  it('is ended with the next garbage collection', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage: unknown = runInNewContext('gc');
    const cancelled = Promise.withResolvers<void>();
    const client = await clientOf((call) => {
      call.once('cancelled', () => cancelled.resolve());
      stall(call);
    });
    await (() => client.streamChat({}).next())();
    const collecting = setInterval(() => {
      if (typeof collectGarbage === 'function') collectGarbage();
    }, 5);
    await cancelled.promise;
    clearInterval(collecting);
  });
});

describe('a unary call', () => {
  it('leaves no timer behind', async () => {
    const client = await clientOf(answer);
    const before = timers();
    const controller = new AbortController();
    const calls = [
      client.chat({}, { timeoutMs: 30 }),
      client.chat({}, { signal: controller.signal }),
      createLlmClient('127.0.0.1:1', { maxRetries: 0 }).chat({}),
    ];
    setImmediate(() => controller.abort());
    await Promise.allSettled(calls);
    await expectNoMoreThan(before);
  });
});

describe('a signal of a caller', () => {
  it('that is aborted with a reason gives it as the cause', async () => {
    const client = await clientOf(stall);
    const controller = new AbortController();
    const stream = client.streamChat({}, { signal: controller.signal });
    await stream.next();
    controller.abort(new Error('enough'));
    await expect(stream.next()).rejects.toMatchObject({ code: Code.Canceled, cause: { message: 'enough' } });
  });

  it('that times out ends the call', async () => {
    const client = await clientOf(stall);
    const signal = AbortSignal.timeout(20);
    const aborted = once(signal, 'abort');
    await expect(client.streamChat({}, { signal }).collect()).rejects.toMatchObject({ code: Code.Canceled });
    await aborted;
  });
});
