import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { Code, ConnectError, type ServiceImpl } from '@connectrpc/connect';
import { expect, test } from 'vitest';
import type { LlmService } from '../../../../gen/understudy/v1/llm_pb.ts';
import type { AnswerQueue } from '../../../../src/server/answers/delta-queue.ts';
import { EventStream } from '../../../../src/server/handlers/event-stream.ts';
import type { AnsweredRpc } from '../../../../src/server/handlers/run-request.ts';
import { SERVING, success } from '../../support/fake-gateway.ts';
import { type BareWeb, bareWeb, type RawRequest, sendHttp1 } from '../../support/raw-web.ts';
import { enveloped } from '../../support/web-envelopes.ts';

const ANSWERED = {
  result: success(),
  answer: { requestId: 'id', requestedModel: '', trail: { attempts: [] }, warnings: [] },
} as unknown as AnsweredRpc;

const STREAM: RawRequest = {
  path: '/understudy.v1.LlmService/StreamChat',
  headers: { 'content-type': 'application/connect+json' },
  body: enveloped('{}'),
};

/** Serves StreamChat with answers of an engine of the test's. */
function serve(
  run: (client: AnswerQueue, signal: AbortSignal) => Promise<AnsweredRpc>,
  called?: (signal: AbortSignal) => void,
): Promise<BareWeb> {
  const implementation = {
    streamChat: (_request, { signal }) => {
      called?.(signal);
      return new EventStream({ requestId: 'id', signal, run, errorOf: (thrown) => ConnectError.from(thrown) });
    },
  } satisfies Partial<ServiceImpl<typeof LlmService>>;
  return bareWeb(implementation as unknown as ServiceImpl<typeof LlmService>, true);
}

function say(client: AnswerQueue, text: string): boolean {
  return client.output({ kind: 'text', index: 0, text });
}

/** What an envelope of JSON holds at its top, for each of a piece. */
function namesIn(piece: Buffer): readonly string[] {
  const names: string[] = [];
  for (let at = 0; at < piece.length; at += 5 + piece.readUInt32BE(at + 1)) {
    const text = piece.toString('utf8', at + 5, at + 5 + piece.readUInt32BE(at + 1));
    names.push(piece[at] === 2 ? 'end' : (/"(started|textDelta|finished)"/.exec(text)?.[1] ?? text));
  }
  return names;
}

test('an answer that is there in one turn leaves in one piece, its end in it', async () => {
  const web = await serve((client) => {
    client.started(SERVING);
    say(client, 'so');
    return Promise.resolve(ANSWERED);
  });
  const { chunks } = await web.http1(STREAM);
  expect(chunks.map(namesIn)).toEqual([['started', 'textDelta', 'finished', 'end']]);
});

test('what comes in different turns leaves in different pieces, and an answer that breaks off ends behind it', async () => {
  const web = await serve(async (client) => {
    client.started(SERVING);
    for (const text of ['a', 'b']) {
      await turn();
      say(client, text);
    }
    await turn();
    throw new ConnectError('broken', Code.Aborted);
  });
  const { chunks } = await web.http1(STREAM);
  expect(chunks.map(namesIn)).toEqual([['started'], ['textDelta'], ['textDelta'], ['end']]);
  expect(chunks.at(-1)?.toString()).toContain('"code":"aborted"');
});

/** Says texts until the queue is full, whenever it has room. */
async function sayMuch(client: AnswerQueue, times: number, onFull: () => void): Promise<AnsweredRpc> {
  client.started(SERVING);
  for (let count = 0; count < times; count += 1) {
    await turn();
    if (say(client, 'x'.repeat(50_000))) continue;
    onFull();
    await new Promise<void>((resolve) => client.whenWritable(resolve));
  }
  return ANSWERED;
}

test('a client that does not read holds the engine back, and misses nothing when it does', async () => {
  const full = Promise.withResolvers<undefined>();
  const web = await serve((client) => sayMuch(client, 400, () => full.resolve(undefined)));
  const socket = sendHttp1(web.port, STREAM).pause();
  await full.promise;
  let text = 0;
  socket.on('data', (chunk: Buffer) => {
    for (const byte of chunk) if (byte === 0x78) text += 1;
  });
  socket.resume();
  await once(socket, 'close');
  expect(text).toBeGreaterThanOrEqual(400 * 50_000);
});

test('a client that leaves while it is behind aborts the engine', async () => {
  const full = Promise.withResolvers<undefined>();
  const aborted = Promise.withResolvers<undefined>();
  const web = await serve((client, signal) => {
    signal.addEventListener('abort', () => aborted.resolve(undefined));
    return sayMuch(client, 1_000, () => full.resolve(undefined));
  });
  const socket = sendHttp1(web.port, STREAM).pause();
  await full.promise;
  socket.destroy();
  await aborted.promise;
});

test('the signal of an answer that has its end does not abort when its response closes', async () => {
  const signals: AbortSignal[] = [];
  const web = await serve(
    (client) => {
      client.started(SERVING);
      return Promise.resolve(ANSWERED);
    },
    (signal) => signals.push(signal),
  );
  const { path, headers, body } = STREAM;
  // On a connection that is kept, a response closes when it has left.
  for (let count = 0; count < 2; count += 1)
    await (await fetch(`http://127.0.0.1:${web.port}${path}`, { method: 'POST', headers, body })).bytes();
  expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
});
