import { expect } from 'vitest';

import type { StreamChatResponse } from '../../gen/understudy/v1/llm_pb.ts';
import type { Message } from '../../gen/understudy/v1/chat_pb.ts';
import { FinishReason } from '../../gen/understudy/v1/chat_pb.ts';
import type { Usage } from '../../gen/understudy/v1/usage_pb.ts';
import { UsageSource } from '../../gen/understudy/v1/usage_pb.ts';
import type { AnswerFields } from './failover-stage.ts';
import type { RecordedCase } from './recorded-dialects.ts';
import type { Expectation } from './recordings.ts';
import { outputTokensOf, recordedCalls } from './recordings.ts';

/** The pieces of an answer, however it came. */
export interface Pieces {
  readonly text: string;
  readonly reasoning: string;
  readonly calls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
}

/** Puts the pieces of a stream together. */
export function piecesOfStream(events: readonly StreamChatResponse[]): Pieces {
  const calls = new Map<number, { id: string; name: string; arguments: string }>();
  let [text, reasoning] = ['', ''];
  for (const { event } of events) {
    if (event.case === 'textDelta') text += event.value.text;
    if (event.case === 'reasoningDelta') reasoning += event.value.text;
    if (event.case !== 'toolCallDelta') continue;
    const { partIndex, id, name, argumentsFragment } = event.value;
    const call = calls.get(partIndex) ?? { id: '', name: '', arguments: '' };
    calls.set(partIndex, call);
    call.id ||= id;
    call.name ||= name;
    call.arguments += argumentsFragment;
  }
  return { text, reasoning, calls: [...calls.values()] };
}

/** Takes the pieces of a message. */
export function piecesOfMessage(message: Message | undefined): Pieces {
  const parts = (message?.content ?? []).map(({ part }) => part);
  return {
    text: parts.map((part) => (part.case === 'text' ? part.value : '')).join(''),
    reasoning: parts.map((part) => (part.case === 'reasoning' ? part.value.text : '')).join(''),
    calls: parts.flatMap((part) =>
      part.case === 'toolCall'
        ? [{ id: part.value.id, name: part.value.name, arguments: part.value.argumentsJson }]
        : [],
    ),
  };
}

/** Compares the pieces with what was recorded. */
export function expectPieces(pieces: Pieces, expected: Expectation): void {
  expect(pieces.text).toBe(expected.text + expected.refusal);
  expect(pieces.reasoning).toBe(expected.reasoning);
  expect(pieces.calls).toEqual(
    recordedCalls(expected).map(({ id, name, arguments: text }) => ({
      id: id ?? expect.stringMatching(/^call_/),
      name,
      arguments: text,
    })),
  );
}

/** Compares all that an answer tells besides its pieces. */
export function expectAnswer(answer: AnswerFields, { recording, dialect, alone }: RecordedCase): void {
  const { expect: expected } = recording;
  expect(answer.target).toBe(alone);
  expect(answer.provider).toBe(dialect.target(recording.provider)?.provider);
  expect(answer.model).toBe(expected.model ?? 'recorded-model');
  expect(answer.finishReason).toBe(FinishReason[dialect.finishReason(expected)]);
  expect(answer.rawFinishReason).toBe(expected.finish_reason);
  expect(answer.metadata['response_id']).toBe(expected.response_id ?? undefined);
  if (expected.input_tokens === 0) {
    // No prompt has 0 tokens: that is an estimate, whatever the provider has counted besides.
    expect(answer.usage?.source).toBe(UsageSource.ESTIMATED);
    expect(answer.usage?.inputTokens).toBeGreaterThan(0);
    expect(answer.usage?.outputTokens).toBeGreaterThan(0);
    if (expected.output_tokens !== 0) expect(answer.usage?.outputTokens).toBe(outputTokensOf(expected));
    expect(answer.tokensUsed).toBeUndefined();
    return;
  }
  expectUsage(answer.usage, expected);
  if (answer.usage !== undefined) expect(answer.usage.source).toBe(UsageSource.REPORTED);
  expect(answer.tokensUsed).toBe(answer.usage?.totalTokens);
}

function expectUsage(usage: Usage | undefined, expected: Expectation): void {
  expect({
    input: usage?.inputTokens ?? null,
    cached: usage?.cachedInputTokens ?? null,
    written: usage?.cacheWriteTokens ?? null,
    output: usage?.outputTokens ?? null,
    reasoning: usage?.reasoningTokens ?? null,
  }).toEqual({
    input: expected.total_input_tokens ?? expected.input_tokens,
    cached: expected.cached_input_tokens,
    written: expected.cache_creation_input_tokens,
    output: outputTokensOf(expected),
    reasoning: expected.reasoning_tokens,
  });
  if (expected.total_tokens !== null) expect(usage?.totalTokens).toBe(expected.total_tokens);
}
