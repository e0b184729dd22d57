import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { Role } from '../../../gen/understudy/v1/chat_pb.ts';
import { ErrorReason } from '../../../gen/understudy/v1/error_pb.ts';
import { Recovery } from '../../../gen/understudy/v1/routing_pb.ts';
import { StreamChatRequestSchema, type StreamChatResponse } from '../../../gen/understudy/v1/llm_pb.ts';
import { failed, SERVING, success, untilAborted } from '../support/fake-gateway.ts';
import { context, errorOf, handlersOf } from '../support/handler-calls.ts';
import { say } from '../support/requests.ts';

const streamRequest = create(StreamChatRequestSchema, { messages: [say(Role.USER, 'hello')] });

async function collect(stream: AsyncIterable<unknown>): Promise<StreamChatResponse[]> {
  const events: StreamChatResponse[] = [];
  for await (const event of stream as AsyncIterable<StreamChatResponse>) events.push(event);
  return events;
}

describe('StreamChat', () => {
  test('tells the answer in numbered events and ends with finished', async () => {
    const { gateway, handlers } = handlersOf(async (call) => {
      call.client?.started(SERVING);
      call.client?.output({ kind: 'reasoning', index: 0, text: 'so' });
      call.client?.output({ kind: 'part_finished', index: 0, state: new Uint8Array([7]) });
      call.client?.output({ kind: 'text', index: 1, text: 'hi' });
      call.client?.output({ kind: 'part_finished', index: 1 });
      call.client?.ping();
      call.client?.output({ kind: 'tool_call', index: 2, id: 'c', name: 'look', argumentsFragment: '{}' });
      return Promise.resolve(success());
    });
    const events = await collect(handlers.streamChat(streamRequest, context()));
    expect(events.map((event) => Number(event.sequence))).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(events.map((event) => event.event)).toMatchObject([
      {
        case: 'started',
        value: { requestId: 'made-here', target: 'lead', provider: 'openai', model: 'model-1-2026', attempt: 1 },
      },
      { case: 'reasoningDelta', value: { partIndex: 0, text: 'so' } },
      { case: 'partFinished', value: { partIndex: 0, providerState: { target: 'lead', data: new Uint8Array([7]) } } },
      { case: 'textDelta', value: { partIndex: 1, text: 'hi' } },
      { case: 'partFinished', value: { partIndex: 1 } },
      { case: 'ping' },
      { case: 'toolCallDelta', value: { partIndex: 2, id: 'c', name: 'look', argumentsFragment: '{}' } },
      { case: 'finished', value: { requestId: 'made-here', tokensUsed: 7 } },
    ]);
    expect(gateway.ends).toHaveLength(1);
    expect(gateway.plans[0]?.streams).toBe(true);
  });

  test('tells of a new beginning and from which event on the broken answer is to be discarded', async () => {
    const { gateway, handlers } = handlersOf(async (call) => {
      call.client?.started(SERVING);
      call.client?.output({ kind: 'text', index: 0, text: 'hal' });
      call.client?.output({ kind: 'part_finished', index: 0, state: new Uint8Array([7]) });
      call.client?.ping();
      call.client?.restarted({ ...SERVING, number: 2, target: 'second' }, 'PROVIDER_TIMEOUT');
      call.client?.output({ kind: 'text', index: 0, text: 'who' });
      call.client?.output({ kind: 'part_finished', index: 0, state: new Uint8Array([8]) });
      call.client?.restarted({ ...SERVING, number: 3 }, 'PROVIDER_UNAVAILABLE');
      call.client?.output({ kind: 'text', index: 0, text: 'whole' });
      return Promise.resolve(success());
    });
    const events = await collect(
      handlers.streamChat(create(StreamChatRequestSchema, { ...streamRequest, recovery: Recovery.RESTART }), context()),
    );
    expect(gateway.calls[0]?.recovery).toBe('RESTART');
    expect(events.map((event) => Number(event.sequence))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(events.map((event) => event.event)).toMatchObject([
      { case: 'started', value: { target: 'lead' } },
      { case: 'textDelta', value: { text: 'hal' } },
      { case: 'partFinished', value: { providerState: { target: 'lead' } } },
      { case: 'ping' },
      {
        case: 'restarted',
        value: { target: 'second', attempt: 2, discardFromSequence: 2n, reason: ErrorReason.PROVIDER_TIMEOUT },
      },
      { case: 'textDelta', value: { text: 'who' } },
      { case: 'partFinished', value: { providerState: { target: 'second' } } },
      { case: 'restarted', value: { provider: 'openai', model: 'model-1-2026', attempt: 3, discardFromSequence: 6n } },
      { case: 'textDelta', value: { text: 'whole' } },
      { case: 'finished' },
    ]);
  });

  test('fails where the caller does not say how to recover', async () => {
    const { gateway, handlers } = handlersOf(async () => Promise.resolve(success()));
    await collect(handlers.streamChat(streamRequest, context()));
    expect(gateway.calls[0]?.recovery).toBe('FAIL');
  });

  test('gives what came before it breaks, then the error', async () => {
    const { handlers } = handlersOf(async (call) => {
      call.client?.started(SERVING);
      call.client?.output({ kind: 'text', index: 0, text: 'hal' });
      return Promise.resolve(failed({ status: 'ABORTED', reason: 'STREAM_INTERRUPTED' }));
    });
    const stream = handlers.streamChat(streamRequest, context())[Symbol.asyncIterator]();
    await stream.next();
    expect(await stream.next()).toMatchObject({ value: { event: { case: 'textDelta', value: { text: 'hal' } } } });
    expect((await errorOf(stream.next())).code).toBe(Code.Aborted);
  });

  test('aborts the engine in the turn in which the context aborts', async () => {
    const { gateway, handlers } = handlersOf(untilAborted);
    const own = context();
    const stream = handlers.streamChat(streamRequest, own)[Symbol.asyncIterator]();
    const first = errorOf(stream.next());
    while (gateway.calls.length === 0) await Promise.resolve();
    expect(gateway.calls[0]?.signal.aborted).toBe(false);
    own.abort(new ConnectError('gone', Code.Canceled));
    expect(gateway.calls[0]?.signal.aborted).toBe(true);
    expect((await first).code).toBe(Code.Canceled);
    expect(gateway.ends).toMatchObject([{ result: { ok: false, failure: { reason: 'CANCELLED' } } }]);
  });

  test('aborts the engine in the turn in which its reader leaves', async () => {
    const { gateway, handlers } = handlersOf((call) => {
      call.client?.started(SERVING);
      return untilAborted(call);
    });
    const stream = handlers.streamChat(streamRequest, context())[Symbol.asyncIterator]();
    await stream.next();
    expect(gateway.calls[0]?.signal.aborted).toBe(false);
    await stream.return?.();
    expect(gateway.calls[0]?.signal.aborted).toBe(true);
    await Promise.resolve();
    expect(gateway.ends).toHaveLength(1);
  });

  test('a context that has aborted before starts with an aborted signal', async () => {
    const { gateway, handlers } = handlersOf(untilAborted);
    const own = context();
    own.abort();
    await errorOf(collect(handlers.streamChat(streamRequest, own)));
    expect(gateway.calls[0]?.signal.aborted).toBe(true);
  });
});
