import { once } from 'node:events';
import { createServer } from 'node:http2';
import type { Http2Server, Http2Session, ServerHttp2Stream } from 'node:http2';
import { buffer } from 'node:stream/consumers';

import { afterEach, describe, expect, test } from 'vitest';

import type { Calls } from '../../bench/calls/doors.ts';
import { frame } from '../../bench/calls/frames.ts';
import { openGrpcCalls } from '../../bench/calls/grpc-calls.ts';
import { scenarioOf } from '../../bench/calls/scenarios.ts';
import type { Scenario } from '../../bench/calls/scenarios.ts';

const CHAT = scenarioOf('chat');
const OK = { 'grpc-status': '0' };
const ANSWER = frame(Buffer.from('an answer'));

let server: Http2Server | undefined;
let calls: Calls | undefined;

afterEach(() => {
  calls?.close();
  server?.close();
});

async function open(answer: (stream: ServerHttp2Stream) => void, scenario: Scenario = CHAT): Promise<Calls> {
  server = createServer();
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('error', () => undefined);
    answer(stream);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  calls = await openGrpcCalls(address.port, scenario, 2);
  return calls;
}

/** Makes a call, and resolves with its messages and its answer. */
function call(on: Calls): Promise<{ readonly messages: number; readonly answer: Buffer }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ messages: number; answer: Buffer }>();
  let answer: Buffer = Buffer.alloc(0);
  on.call({
    onAnswer: (bytes) => (answer = bytes),
    onEnd: (messages) => resolve({ messages, answer }),
    onFailure: reject,
  });
  return promise;
}

function end(stream: ServerHttp2Stream, body: Buffer, trailers: Readonly<Record<string, string>> = OK): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.end(body);
}

describe('calls of the bench over gRPC', () => {
  test('carry the same headers and the same request each time, and count what is answered', async () => {
    const seen = new Set<string>();
    const on = await open((stream) => {
      stream.once('error', () => undefined);
      void buffer(stream).then((body) => {
        seen.add(body.toString('hex'));
        end(stream, ANSWER);
      });
    });
    const paths = new Set<unknown>();
    server?.on('stream', (_, headers) =>
      paths.add(
        [':method', ':scheme', ':path', 'content-type', 'te', 'grpc-timeout'].map((name) => headers[name]).join(' '),
      ),
    );
    const answers = await Promise.all(Array.from({ length: 500 }, () => call(on)));
    expect(new Set(answers.map(({ messages, answer }) => `${messages} ${answer.toString('hex')}`))).toEqual(
      new Set([`1 ${ANSWER.toString('hex')}`]),
    );
    expect([...seen]).toEqual([frame(CHAT.body.proto).toString('hex')]);
    expect([...paths]).toEqual(['POST http /understudy.v1.LlmService/Chat application/grpc+proto trailers 30S']);
  });

  test('send requests as large as no window is, whole', async () => {
    const scenario = scenarioOf('chat', 1_000_000);
    const bodies: Buffer[] = [];
    const on = await open((stream) => {
      void buffer(stream).then((body) => {
        bodies.push(body);
        end(stream, ANSWER);
      });
    }, scenario);
    await Promise.all(Array.from({ length: 6 }, () => call(on)));
    const wanted = frame(scenario.body.proto);
    expect(bodies.map((body) => body.equals(wanted))).toEqual(Array.from({ length: 6 }, () => true));
  });

  test('read answers that come in many frames', async () => {
    const text = Buffer.alloc(300_000, 'word ');
    const on = await open((stream) => {
      stream.resume();
      end(stream, frame(text));
    });
    const [{ messages, answer }] = await Promise.all([call(on), call(on), call(on)]);
    expect([messages, answer.equals(frame(text))]).toEqual([1, true]);
  });

  test.each([
    [
      'has another number of messages',
      (stream: ServerHttp2Stream) => end(stream, Buffer.concat([ANSWER, ANSWER])),
      /: 2 messages came/,
    ],
    ['is cut off', (stream: ServerHttp2Stream) => end(stream, ANSWER.subarray(0, 9)), /0 and a cut off messages came/],
    [
      'ends with an error',
      (stream: ServerHttp2Stream) => end(stream, ANSWER, { 'grpc-status': '13', 'grpc-message': 'no way' }),
      /gRPC status 13 \(no way\)/,
    ],
    [
      'is nothing but an error',
      (stream: ServerHttp2Stream) => stream.respond({ ':status': 200, 'grpc-status': '16' }, { endStream: true }),
      /gRPC status 16/,
    ],
    [
      'ends without trailers',
      (stream: ServerHttp2Stream) => {
        stream.respond({ ':status': 200 });
        stream.end(ANSWER);
      },
      /ended without a status/,
    ],
    ['is reset', (stream: ServerHttp2Stream) => stream.close(8), /reset with code 8/],
    ['loses its connection', (stream: ServerHttp2Stream) => stream.session?.destroy(), /a connection was/],
    ['is sent away', (stream: ServerHttp2Stream) => stream.session?.goaway(11), /ended with code 11/],
  ])('fail where an answer %s, also behind good ones', async (_, answer, message) => {
    let isGood = true;
    const on = await open((stream) => {
      stream.resume();
      if (isGood) end(stream, ANSWER);
      else answer(stream);
    });
    await Promise.all([call(on), call(on), call(on), call(on)]);
    isGood = false;
    await expect(call(on)).rejects.toThrow(message);
  });

  test('fail at once over a connection that is gone', async () => {
    const on = await open((stream) => stream.session?.destroy());
    await Promise.allSettled([call(on), call(on)]);
    await expect(call(on)).rejects.toThrow('a connection was');
  });

  test('fail where the caller throws at the answer, and that call alone', async () => {
    const on = await open((stream) => {
      stream.resume();
      end(stream, ANSWER);
    });
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    on.call({
      onAnswer: () => {
        throw new Error('wrong text');
      },
      onEnd: resolve,
      onFailure: reject,
    });
    await expect(promise).rejects.toThrow('wrong text');
    expect((await call(on)).messages).toBe(1);
    expect((await call(on)).messages).toBe(1);
  });

  test('answer pings', async () => {
    const sessions: Http2Session[] = [];
    const on = await open((stream) => {
      if (stream.session !== undefined) sessions.push(stream.session);
      stream.resume();
      end(stream, ANSWER);
    });
    await call(on);
    const { promise, resolve } = Promise.withResolvers<Buffer>();
    sessions[0]?.ping(Buffer.from('12345678'), (_, __, payload) => resolve(payload));
    expect((await promise).toString()).toBe('12345678');
  });
});
