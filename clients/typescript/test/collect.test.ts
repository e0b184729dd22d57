import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import {
  Code,
  collect,
  ErrorReason,
  MessageSchema,
  Role,
  StreamChatResponse_FinishedSchema,
  type StreamChatResponse,
} from '../src/index.ts';
import { type EventInit, finished, streamOf, textDelta } from './support/events.ts';

const started: EventInit = { case: 'started', value: { requestId: 'r', provider: 'mock', target: 'first' } };
const ping: EventInit = { case: 'ping', value: {} };
const state = { target: 'first', data: new Uint8Array([1, 2]) };

function restarted(discardFromSequence: bigint): EventInit {
  const reason = ErrorReason.PROVIDER_UNAVAILABLE;
  return { case: 'restarted', value: { target: 'second', discardFromSequence, reason } };
}

describe('collect', () => {
  it('puts text, reasoning and tool calls together in the order of their parts, with their states', async () => {
    const answer = await collect(
      streamOf([
        started,
        { case: 'reasoningDelta', value: { partIndex: 0, text: 'let me ' } },
        { case: 'reasoningDelta', value: { partIndex: 0, text: 'see' } },
        { case: 'partFinished', value: { partIndex: 0, providerState: state } },
        { case: 'toolCallDelta', value: { partIndex: 2, id: 'c1', name: 'find', argumentsFragment: '{"q":' } },
        textDelta('one ', 1),
        { case: 'toolCallDelta', value: { partIndex: 2, argumentsFragment: '"x"}' } },
        textDelta('two', 1),
        { case: 'partFinished', value: { partIndex: 1 } },
        textDelta(' three', 3),
        finished(),
      ]),
    );
    expect(answer.text).toBe('one two three');
    expect(answer.reasoning).toBe('let me see');
    expect(answer.message).toEqual(
      create(MessageSchema, {
        role: Role.ASSISTANT,
        content: [
          { part: { case: 'reasoning', value: { text: 'let me see' } }, providerState: state },
          { part: { case: 'text', value: 'one two' } },
          { part: { case: 'toolCall', value: { id: 'c1', name: 'find', argumentsJson: '{"q":"x"}' } } },
          { part: { case: 'text', value: ' three' } },
        ],
      }),
    );
    expect(answer.started).toMatchObject({ requestId: 'r', target: 'first' });
    expect(answer.finished).toEqual(
      create(StreamChatResponse_FinishedSchema, { provider: 'mock', target: 'mock', model: 'mock-ok' }),
    );
  });

  it('makes reasoning of a part that has nothing but a state, and nothing of one without', async () => {
    const answer = await collect(
      streamOf([
        { case: 'partFinished', value: { partIndex: 0, providerState: state } },
        { case: 'partFinished', value: { partIndex: 1 } },
        finished(),
      ]),
    );
    expect(answer.message.content).toMatchObject([{ part: { case: 'reasoning' }, providerState: state }]);
  });

  it('leaves out what a restart discards, and keeps what it does not', async () => {
    const answer = await collect(
      streamOf([started, textDelta('wrong '), textDelta('words', 1), restarted(2n), textDelta('right'), finished()]),
    );
    expect(answer.text).toBe('right');
    expect(answer.message.content).toHaveLength(1);
    expect(answer.restarts).toMatchObject([{ target: 'second', reason: ErrorReason.PROVIDER_UNAVAILABLE }]);
    expect(answer.started).toMatchObject({ target: 'first' });
    expect(answer.events.map(({ sequence }) => sequence)).toEqual([1n, 4n, 5n, 6n]);
  });

  it('follows several restarts', async () => {
    const answer = await collect(
      streamOf([textDelta('a'), restarted(1n), textDelta('b'), restarted(3n), textDelta('c'), finished()]),
    );
    expect(answer.text).toBe('c');
    expect(answer.restarts).toHaveLength(2);
  });

  it('shows every event as it comes', async () => {
    const seen: (string | undefined)[] = [];
    const answer = await collect(
      streamOf([textDelta('a'), ping, restarted(1n), textDelta('b'), finished()]),
      ({ event }: StreamChatResponse) => seen.push(event.case),
    );
    expect(seen).toEqual(['textDelta', 'ping', 'restarted', 'textDelta', 'finished']);
    expect(answer.events.map(({ event }) => event.case)).toEqual(['restarted', 'textDelta', 'finished']);
  });

  it('passes over events that it does not know', async () => {
    const answer = await collect(streamOf([textDelta('a'), { case: undefined }, finished()]));
    expect(answer.text).toBe('a');
  });

  it.each([
    ['no event', []],
    ['text alone', [textDelta('a')]],
    ['a restart after the text', [textDelta('a'), restarted(1n)]],
  ])('rejects a stream that ends without "finished": %s', async (_name, events) => {
    await expect(collect(streamOf(events))).rejects.toMatchObject({
      code: Code.Aborted,
      rawMessage: 'the stream ended without "finished"',
    });
  });
});
