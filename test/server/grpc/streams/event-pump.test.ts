import { Code, ConnectError } from '@connectrpc/connect';
import { expect, test } from 'vitest';
import type { AnswerQueue } from '../../../../src/server/answers/delta-queue.ts';
import { pumpEvents } from '../../../../src/server/grpc/streams/event-pump.ts';
import { EventStream } from '../../../../src/server/handlers/event-stream.ts';
import type { AnsweredRpc } from '../../../../src/server/handlers/run-request.ts';
import { SERVING, success } from '../../support/fake-gateway.ts';

const CANCELLED = new ConnectError('gone', Code.Canceled);
const ANSWERED = {
  result: success(),
  answer: { requestId: 'id', requestedModel: '', trail: { attempts: [] }, warnings: [] },
} as unknown as AnsweredRpc;

/** A stream that is pumped to a writer of the test's, which notes the cases of the events of each write. */
function pumped(onWrite: () => void = () => undefined) {
  const caller = new AbortController();
  const end = Promise.withResolvers<AnsweredRpc>();
  const writes: string[][] = [];
  const ends: unknown[] = [];
  let queue: AnswerQueue | undefined;
  let engine: AbortSignal | undefined;
  let onRoom: (() => void) | undefined;
  const writer = {
    isFull: false,
    write: (next: () => unknown) => {
      const events: string[] = [];
      writes.push(events);
      onWrite();
      for (let event = next(); event !== undefined; event = next())
        events.push((event as { event: { case: string } }).event.case);
      return true;
    },
    whenRoom: (listener: () => void) => {
      onRoom = listener;
    },
  };
  const stream = new EventStream({
    requestId: 'id',
    signal: caller.signal,
    run: (client, signal) => {
      queue = client;
      engine = signal;
      signal.addEventListener('abort', () => end.reject(CANCELLED));
      return end.promise;
    },
    errorOf: (thrown) => ConnectError.from(thrown),
  });
  pumpEvents(stream, writer, caller.signal, (fault) => ends.push(fault));
  return {
    caller,
    end,
    writes,
    ends,
    writer,
    say: (text: string) => queue?.output({ kind: 'text', index: 0, text }),
    start: () => queue?.started(SERVING),
    engine: () => engine,
    makeRoom: () => {
      writer.isFull = false;
      onRoom?.();
    },
  };
}

/** The turn of the event loop ends, and with it all that its promises and ticks do. */
const turnEnds = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('an answer that is there in one turn leaves in one write, its end with it', async () => {
  const { start, say, end, writes, ends } = pumped();
  start();
  say('so');
  end.resolve(ANSWERED);
  expect(writes).toEqual([]);
  await turnEnds();
  expect(writes).toEqual([['started', 'textDelta', 'finished']]);
  expect(ends).toEqual([undefined]);
});

test('what comes in different turns leaves in different writes', async () => {
  const { start, say, writes, ends } = pumped();
  start();
  await turnEnds();
  say('a');
  say('b');
  await turnEnds();
  expect(writes).toEqual([['started'], ['textDelta']]);
  expect(ends).toEqual([]);
});

test('a full writer gets nothing until it has room, and then all', async () => {
  const { start, say, end, writes, ends, writer, makeRoom } = pumped();
  writer.isFull = true;
  start();
  await turnEnds();
  say('a');
  end.resolve(ANSWERED);
  await turnEnds();
  expect(writes).toEqual([]);
  makeRoom();
  await turnEnds();
  expect(writes).toEqual([['started', 'textDelta', 'finished']]);
  expect(ends).toEqual([undefined]);
});

test('an answer that breaks off ends with its error behind what came before it', async () => {
  const { start, say, end, writes, ends } = pumped();
  start();
  say('hal');
  end.reject(new ConnectError('broken', Code.Aborted));
  await turnEnds();
  expect(writes).toEqual([['started', 'textDelta']]);
  expect(ends).toMatchObject([{ thrown: { code: Code.Aborted } }]);
});

test('a caller who is gone is written nothing, also where the writer is full', async () => {
  const { start, say, caller, writes, ends, writer, engine } = pumped();
  start();
  await turnEnds();
  writer.isFull = true;
  say('not read');
  caller.abort(CANCELLED);
  expect(engine()?.aborted).toBe(true);
  await turnEnds();
  expect(writes.flat()).toEqual(['started']);
  expect(ends).toEqual([{ thrown: CANCELLED }]);
});

test('an event that cannot be written ends the stream once and the request with it', async () => {
  const fault = new Error('not encoded');
  const { start, say, ends, writes, engine } = pumped(() => {
    throw fault;
  });
  start();
  await turnEnds();
  say('more');
  await turnEnds();
  expect(engine()?.aborted).toBe(true);
  expect(ends).toEqual([{ thrown: fault }]);
  expect(writes).toHaveLength(1);
});
