import { create, toBinary } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';

import { ErrorReason } from '../../gen/understudy/v1/error_pb.ts';
import { FinishReason, Role } from '../../gen/understudy/v1/chat_pb.ts';
import { ChatResponseSchema, StreamChatResponseSchema } from '../../gen/understudy/v1/llm_pb.ts';
import { AttemptKind } from '../../gen/understudy/v1/routing_pb.ts';
import { CostSource, UsageSource } from '../../gen/understudy/v1/usage_pb.ts';
import { wantedBy } from './asked.ts';
import type { Wanted } from './asked.ts';
import { frame } from './frames.ts';

type Event = NonNullable<MessageInitShape<typeof StreamChatResponseSchema>['event']>;

const REQUEST_ID = '6f1c2a52-5a43-4d53-8f3b-0d9a3f0c2b11';
const TARGET = { provider: 'openai', target: 'bench', model: 'bench-model' };
const USAGE = { inputTokens: 80, outputTokens: 60, totalTokens: 140, source: UsageSource.REPORTED };
const COST = { nanoUsd: 760_000n, source: CostSource.EXACT, priceTableVersion: '2026-11-01' };

/** What the gateway says at the end of an answer; made-up times. */
const END = {
  tokensUsed: 140,
  costUsd: 0.00076,
  ...TARGET,
  latencyMs: 12.345,
  metadata: { response_id: 'chatcmpl-bench' },
  finishReason: FinishReason.STOP,
  rawFinishReason: 'stop',
  usage: USAGE,
  cost: COST,
  attempts: [
    {
      ...TARGET,
      number: 1,
      kind: AttemptKind.FIRST,
      outcome: ErrorReason.UNSPECIFIED,
      httpStatus: 200,
      providerRequestId: 'req-bench',
      startedAfterMs: 0.1,
      durationMs: 12.1,
      firstOutputMs: 11.9,
      usage: USAGE,
      cost: COST,
    },
  ],
  requestId: REQUEST_ID,
};

const made = new Map<string, readonly Buffer[]>();

/** The answer of the floors: gRPC frames, encoded once, of the size that the gateway's have. One entry for each event of the upstream. */
export function floorAnswer(key: string): readonly Buffer[] {
  const frames = made.get(key) ?? encode(wantedBy(key));
  made.set(key, frames);
  return frames;
}

function encode({ name, pieces, text }: Wanted): readonly Buffer[] {
  if (name === 'chat' || name === 'open') {
    const message = { role: Role.ASSISTANT, content: [{ part: { case: 'text' as const, value: text } }] };
    return [frame(toBinary(ChatResponseSchema, create(ChatResponseSchema, { ...END, text, message })))];
  }
  let sequence = 0n;
  const event = (value: Event): Buffer => {
    sequence += 1n;
    return frame(toBinary(StreamChatResponseSchema, create(StreamChatResponseSchema, { sequence, event: value })));
  };
  const parts = name === 'apart' ? [0, 1] : [0];
  return [
    event({ case: 'started', value: { ...TARGET, requestId: REQUEST_ID, attempt: 1 } }),
    ...pieces.map((piece) =>
      piece.kind === 'reasoning'
        ? event({ case: 'reasoningDelta', value: { partIndex: 0, text: piece.text } })
        : event({ case: 'textDelta', value: { partIndex: parts.length - 1, text: piece.text } }),
    ),
    Buffer.concat(parts.map((partIndex) => event({ case: 'partFinished', value: { partIndex } }))),
    event({ case: 'finished', value: END }),
  ];
}
