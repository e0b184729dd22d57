import { Code, ConnectError } from '@connectrpc/connect';
import { expect, test } from 'vitest';
import { StreamChatResponseSchema } from '../../../../gen/understudy/v1/llm_pb.ts';
import type { CallStream } from '../../../../src/server/grpc/calls/call-stream.ts';
import { pumpEvents } from '../../../../src/server/grpc/streams/event-pump.ts';
import { GrpcStreamWriter } from '../../../../src/server/grpc/streams/stream-writer.ts';
import { EventStream } from '../../../../src/server/handlers/event-stream.ts';

test('an answer ends whose client is gone before its signal says so, however much of it is left', async () => {
  const events = new EventStream({
    requestId: 'made-here',
    signal: new AbortController().signal,
    run: (client) => {
      for (let index = 0; index < 5; index += 1) client.output({ kind: 'text', index, text: 'x'.repeat(60_000) });
      return Promise.reject(new Error('the reader is slow'));
    },
    errorOf: () => new ConnectError('the reader is slow', Code.Canceled),
  });
  const call = { reply: { isGone: true, write: () => undefined }, whenGone: () => undefined };
  const writer = new GrpcStreamWriter(call as unknown as CallStream, StreamChatResponseSchema, () => {
    throw new Error('nothing is written');
  });
  const { promise, resolve } = Promise.withResolvers<unknown>();
  pumpEvents(events, writer, new AbortController().signal, resolve);
  expect(await promise).toMatchObject({ thrown: { code: Code.Canceled } });
});
