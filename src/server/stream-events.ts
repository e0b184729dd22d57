import type { MessageInitShape } from '@bufbuild/protobuf';
import type { StreamChatResponseSchema } from '../../gen/understudy/v1/llm_pb.ts';
import type { Delta } from '../core/answer.ts';
import type { StreamItem } from './answer-queue.ts';

/** The event of a StreamChatResponse, without its sequence. */
export type StreamEvent = NonNullable<MessageInitShape<typeof StreamChatResponseSchema>['event']>;

/** Makes the event of an item. `target` is that of the answer, the owner of its provider states. */
export function streamEvent(item: StreamItem, requestId: string, target: string): StreamEvent {
  if (item.type === 'ping') return { case: 'ping', value: {} };
  if (item.type === 'delta') return deltaEvent(item.delta, target);
  const { provider, model, number } = item.serving;
  return { case: 'started', value: { requestId, provider, target: item.serving.target, model, attempt: number } };
}

function deltaEvent(delta: Delta, target: string): StreamEvent {
  const partIndex = delta.index;
  if (delta.kind === 'text') return { case: 'textDelta', value: { partIndex, text: delta.text } };
  if (delta.kind === 'reasoning') return { case: 'reasoningDelta', value: { partIndex, text: delta.text } };
  if (delta.kind === 'tool_call') {
    const { id = '', name = '', argumentsFragment } = delta;
    return { case: 'toolCallDelta', value: { partIndex, id, name, argumentsFragment } };
  }
  if (delta.state === undefined) return { case: 'partFinished', value: { partIndex } };
  return { case: 'partFinished', value: { partIndex, providerState: { target, data: delta.state } } };
}
