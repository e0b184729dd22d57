import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import type { ServiceImpl } from '@connectrpc/connect';
import { expect, onTestFinished, test } from 'vitest';
import { type LlmService, StreamChatResponseSchema } from '../../../../gen/understudy/v1/llm_pb.ts';
import { type BareWeb, bareWeb, type RawRequest } from '../../support/raw-web.ts';
import { enveloped } from '../../support/web-envelopes.ts';

/** Around the sizes at which a piece needs one digit more, and one that is written in several pieces. */
const LENGTHS = [1, 14, 180, 200, 3_990, 4_050, 16_300, 16_384, 70_000];

/** Streams one text behind the other, each in a turn of its own. */
const implementation = {
  async *streamChat({ model }): AsyncGenerator<MessageInitShape<typeof StreamChatResponseSchema>> {
    let sequence = 0n;
    for (const length of LENGTHS) {
      await turn();
      sequence += 1n;
      const value = { partIndex: Number(sequence) - 1, text: (model || 'a').repeat(length) };
      yield create(StreamChatResponseSchema, { sequence, event: { case: 'textDelta', value } });
    }
  },
} satisfies Partial<ServiceImpl<typeof LlmService>>;

function serve(isPlain: boolean): Promise<BareWeb> {
  return bareWeb(implementation as unknown as ServiceImpl<typeof LlmService>, isPlain);
}

function request(model: string, type = 'application/connect+json'): RawRequest {
  const body = enveloped(type.endsWith('json') ? Buffer.from(JSON.stringify({ model })) : Buffer.alloc(0));
  return { path: '/understudy.v1.LlmService/StreamChat', headers: { 'content-type': type }, body };
}

/** Writes requests on one connection, the last of which closes it, and returns all that comes. */
async function exchange(
  port: number,
  requests: readonly string[],
  onSocket?: (socket: Socket) => void,
): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  let received = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text;
  });
  onSocket?.(socket);
  socket.write(requests.join(''), 'latin1');
  await once(socket, 'close');
  return received.replaceAll(/^date:.*\r\n/gim, '');
}

function onWire({ path, headers, body }: RawRequest, version: string, connection: string): string {
  const head = Object.entries({ ...headers, connection, 'content-length': String(body.byteLength) });
  const lines = [
    `POST ${path} HTTP/${version}`,
    'host: localhost',
    ...head.map(([name, value]) => `${name}: ${value}`),
  ];
  return `${lines.join('\r\n')}\r\n\r\n${Buffer.from(body).toString('latin1')}`;
}

test.each(['application/connect+json', 'application/connect+proto', 'application/grpc-web+proto'])(
  'what comes in turns of its own is the same %s as Connect writes, of whatever length',
  async (type) => {
    const [direct, connected] = [await serve(true), await serve(false)];
    for (const model of ['a', 'ä', '"', '🦊']) {
      const [seen, wanted] = [await direct.http1(request(model, type)), await connected.http1(request(model, type))];
      expect(seen.head).toEqual(wanted.head);
      expect(seen.body.equals(wanted.body)).toBe(true);
      expect(seen.chunks.length).toBeGreaterThan(LENGTHS.length - 2);
    }
  },
);

test('a client of HTTP/1.0 gets no chunked coding', async () => {
  const asked = [onWire(request('a'), '1.0', 'close')];
  const [seen, wanted] = [
    await exchange((await serve(true)).port, asked),
    await exchange((await serve(false)).port, asked),
  ];
  expect(seen).not.toContain('chunked');
  expect(seen).toBe(wanted);
});

test('answers to requests that wait for one another on a connection come one behind the other, whole', async () => {
  const { port, http1 } = await serve(true);
  const asked = [onWire(request('a'), '1.1', 'keep-alive'), onWire(request('b'), '1.1', 'close')];
  const answers = (await exchange(port, asked)).split('HTTP/1.1 200 OK').slice(1);
  expect(answers).toHaveLength(2);
  for (const [index, model] of ['a', 'b'].entries()) {
    const body = dechunked(answers[index] ?? '');
    expect(body === (await http1(request(model))).body.toString('latin1')).toBe(true);
  }
});

/** The body of an answer, whose last piece must be there. */
function dechunked(answer: string): string {
  let body = '';
  for (let at = answer.indexOf('\r\n\r\n') + 4; ;) {
    const lineEnd = answer.indexOf('\r\n', at);
    const length = Number.parseInt(answer.slice(at, lineEnd), 16);
    if (length === 0) return body;
    expect(length).toBeGreaterThan(0);
    body += answer.slice(lineEnd + 2, lineEnd + 2 + length);
    at = lineEnd + 4 + length;
  }
}
