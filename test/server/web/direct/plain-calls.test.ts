import { once } from 'node:events';
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from '@connectrpc/connect';
import { expect, onTestFinished, test } from 'vitest';
import type { LlmService } from '../../../../gen/understudy/v1/llm_pb.ts';
import { shutdownReason } from '../../../../src/server/errors/status.ts';
import { type BareWeb, bareWeb, type RawRequest, sendHttp1 } from '../../support/raw-web.ts';
import { enveloped } from '../../support/web-envelopes.ts';

const JSON_CHAT = Buffer.from(JSON.stringify({ messages: [{ role: 'ROLE_USER', content: [{ text: 'hello' }] }] }));
const CHAT: RawRequest = {
  path: '/understudy.v1.LlmService/Chat',
  headers: { 'content-type': 'application/json' },
  body: JSON_CHAT,
};
const STREAM: RawRequest = {
  path: '/understudy.v1.LlmService/StreamChat',
  headers: { 'content-type': 'application/connect+json' },
  body: enveloped(JSON_CHAT),
};

/** Serves one call with a handler that waits until its signal aborts; tells of its context. */
async function untilAborted(): Promise<{ readonly web: BareWeb; readonly context: Promise<HandlerContext> }> {
  const { promise: context, resolve } = Promise.withResolvers<HandlerContext>();
  const aborted = async (given: HandlerContext): Promise<never> => {
    resolve(given);
    if (!given.signal.aborted) await once(given.signal, 'abort');
    throw given.signal.reason;
  };
  const implementation = {
    chat: (_request, given) => aborted(given),
    // oxlint-disable-next-line require-yield
    async *streamChat(_request, given) {
      await aborted(given);
    },
  } satisfies Partial<ServiceImpl<typeof LlmService>>;
  return { web: await bareWeb(implementation as unknown as ServiceImpl<typeof LlmService>, true), context };
}

test.each([
  ['Chat', CHAT],
  ['StreamChat', STREAM],
])('%s: a client that leaves, a deadline and the end of the server abort the signal', async (_name, request) => {
  const left = await untilAborted();
  const socket = sendHttp1(left.web.port, request);
  const { signal, values } = await left.context;
  expect(values).toBeDefined();
  expect(signal.aborted).toBe(false);
  socket.destroy();
  await once(signal, 'abort');
  expect(signal.reason).toMatchObject({ code: Code.Canceled });

  const late = await untilAborted();
  const ended = await late.web.http1({ ...request, headers: { ...request.headers, 'connect-timeout-ms': '30' } });
  expect(ended.body.toString()).toContain('deadline_exceeded');
  // Timers of the system count whole milliseconds: one may fire a part of one before its time.
  expect((await late.context).timeoutMs()).toBeLessThan(1);

  const closed = await untilAborted();
  const answer = closed.web.http1(request);
  await closed.context;
  closed.web.shutdown.abort(shutdownReason());
  expect((await answer).body.toString()).toContain('unavailable');
  const after = await closed.web.http1(request);
  expect(after.body.toString()).toContain('unavailable');
});

/** Serves StreamChat with these texts, each behind what it waits for. */
function streaming(texts: () => AsyncIterable<string>): Promise<BareWeb> {
  const implementation = {
    async *streamChat() {
      for await (const text of texts()) yield { event: { case: 'textDelta', value: { partIndex: 0, text } } };
    },
  } satisfies Partial<ServiceImpl<typeof LlmService>>;
  return bareWeb(implementation as unknown as ServiceImpl<typeof LlmService>, true);
}

test('messages that come without a pause leave together, others when they come', async () => {
  const web = await streaming(async function* () {
    yield* ['a', 'b', 'c'];
    await new Promise((resolve) => setImmediate(resolve));
    yield* ['d', 'e'];
    await new Promise((resolve) => setImmediate(resolve));
  });
  const { chunks } = await web.http1(STREAM);
  expect(
    chunks.map((chunk) => [...chunk.toString().matchAll(/"text":"(\w)"/g)].map(([, text]) => text).join('')),
  ).toEqual(['abc', 'de', '']);
});

test.each([
  { length: 50_000, most: 1_000, pause: async () => undefined },
  // It turns out behind each of them whether the client reads.
  { length: 5_000, most: 10_000, pause: () => new Promise(setImmediate) },
])(
  'a client that does not read texts of $length holds the handler back, and misses nothing when it does',
  async (each) => {
    const text = 'x'.repeat(each.length);
    let made = 0;
    const web = await streaming(async function* () {
      for (; made < each.most; made += 1) {
        await each.pause();
        yield text;
      }
    });
    const socket = sendHttp1(web.port, STREAM).pause();
    let before = 0;
    // It stands still when the buffers of the system are full.
    await expect
      .poll(
        () => {
          const stands = made > 0 && made === before;
          before = made;
          return stands;
        },
        { interval: 100 },
      )
      .toBe(true);
    expect(made).toBeLessThan(each.most);
    let letters = 0;
    socket.on('data', (chunk: Buffer) => {
      for (const byte of chunk) if (byte === 0x78) letters += 1;
    });
    socket.resume();
    await once(socket, 'close');
    expect(made).toBe(each.most);
    // Two stand in the names around each text.
    expect(letters).toBeGreaterThanOrEqual(each.most * (text.length + 2));
  },
);

test('a client that leaves while it is behind lets the handler end', async () => {
  const { promise: ended, resolve } = Promise.withResolvers<boolean>();
  const web = await streaming(async function* () {
    try {
      for (;;) yield 'x'.repeat(50_000);
    } finally {
      resolve(true);
    }
  });
  const socket = sendHttp1(web.port, STREAM).pause();
  await once(socket, 'connect');
  onTestFinished(() => void socket.destroy());
  await once(socket, 'readable');
  socket.destroy();
  expect(await ended).toBe(true);
});

test('an error behind messages ends their stream', async () => {
  const web = await streaming(async function* () {
    yield 'a';
    throw new ConnectError('broken', Code.DataLoss);
  });
  const { chunks, body } = await web.http1(STREAM);
  expect(chunks).toHaveLength(1);
  expect(body.toString()).toContain('{"error":{"code":"data_loss","message":"broken"}}');
});
