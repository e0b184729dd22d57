import { deepStrictEqual } from 'node:assert/strict';

import { fromBinary, fromJsonString } from '@bufbuild/protobuf';
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';

import { FinishReason } from '../../gen/understudy/v1/chat_pb.ts';
import { ChatResponseSchema, StreamChatResponseSchema } from '../../gen/understudy/v1/llm_pb.ts';
import type { ChatResponse, StreamChatResponse_Finished } from '../../gen/understudy/v1/llm_pb.ts';
import { CostSource } from '../../gen/understudy/v1/usage_pb.ts';
import { wantedBy } from './asked.ts';
import type { Door } from './doors.ts';
import { unframe } from './frames.ts';
import { textOfCompletions } from './completions.ts';
import type { Scenario } from './scenarios.ts';

/** What 80 tokens in and 60 out cost with the prices of the bench's target: 80 × 2,000 + 60 × 10,000 nano-USD. */
const NANO_USD = 760_000n;

/** Decodes an answer, frames and all. Throws where it is not what the upstream has said, counted and priced. */
export function checkAnswer({ key, isStream }: Scenario, door: Door, bytes: Buffer): void {
  const { text, reasoning } = wantedBy(key);
  if (door === 'completions') {
    deepStrictEqual(textOfCompletions(bytes.toString(), isStream), text);
    return;
  }
  const decode = <Schema extends DescMessage>(schema: Schema, message: Buffer): MessageShape<Schema> =>
    door === 'connect-json' ? fromJsonString(schema, message.toString()) : fromBinary(schema, message);
  const messages = isStream || door === 'grpc' ? unframe(bytes) : [bytes];
  if (!isStream) {
    const answer = decode(ChatResponseSchema, messages[0] ?? Buffer.alloc(0));
    deepStrictEqual(answer.text, text);
    deepStrictEqual(
      answer.message?.content.map(({ part }) => part.value),
      [text],
    );
    checkEnd(answer);
    return;
  }
  const events = messages.map((message) => decode(StreamChatResponseSchema, message));
  deepStrictEqual(
    events.map(({ sequence }) => sequence),
    events.map((_, index) => BigInt(index + 1)),
  );
  const told = { text: '', reasoning: '' };
  for (const { event } of events) {
    if (event.case === 'textDelta') told.text += event.value.text;
    if (event.case === 'reasoningDelta') told.reasoning += event.value.text;
  }
  deepStrictEqual(told, { text, reasoning });
  deepStrictEqual(events[0]?.event.case, 'started');
  const last = events.at(-1)?.event;
  if (last?.case !== 'finished') throw new Error('a stream did not end with the event finished');
  checkEnd(last.value);
}

function checkEnd(end: ChatResponse | StreamChatResponse_Finished): void {
  const { finishReason, tokensUsed, cost, target, attempts, warnings } = end;
  deepStrictEqual(
    {
      finishReason,
      tokensUsed,
      nanoUsd: cost?.nanoUsd,
      source: cost?.source,
      target,
      attempts: attempts.length,
      warnings: warnings.length,
    },
    {
      finishReason: FinishReason.STOP,
      tokensUsed: 140,
      nanoUsd: NANO_USD,
      source: CostSource.EXACT,
      target: 'bench',
      attempts: 1,
      warnings: 0,
    },
  );
}
