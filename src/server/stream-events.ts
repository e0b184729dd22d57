import { create } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { ErrorReason } from '../../gen/understudy/v1/error_pb.ts';
import type { StreamChatResponse, StreamChatResponse_Finished } from '../../gen/understudy/v1/llm_pb.ts';
import { StreamChatResponseSchema } from '../../gen/understudy/v1/llm_pb.ts';
import type { Delta } from '../core/answer.ts';
import type { StreamItem } from './answer-queue.ts';

type StreamEvent = NonNullable<MessageInitShape<typeof StreamChatResponseSchema>['event']>;

/** Numbers the events of one stream and remembers from which one on a broken answer is to be discarded. */
export class StreamEvents {
  readonly #requestId: string;
  #sequence = 0n;
  /** The target that answers, the owner of its provider states. */
  #target = '';
  /** The sequence of the first delta of the answer under way. */
  #answerFrom: bigint | undefined;

  constructor(requestId: string) {
    this.#requestId = requestId;
  }

  /** Makes the event of an item; asked in the order in which they are sent. */
  of(item: StreamItem): StreamChatResponse {
    const sequence = this.#sequence + 1n;
    switch (item.type) {
      case 'ping':
        return this.#next({ case: 'ping', value: {} });
      case 'delta':
        this.#answerFrom ??= sequence;
        return this.#next(deltaEvent(item.delta, this.#target));
      case 'started': {
        const { provider, target, model, number: attempt } = item.serving;
        this.#target = target;
        return this.#next({ case: 'started', value: { requestId: this.#requestId, provider, target, model, attempt } });
      }
      case 'restarted': {
        const { provider, target, model, number: attempt } = item.serving;
        const discardFromSequence = this.#answerFrom ?? sequence;
        this.#target = target;
        this.#answerFrom = undefined;
        const reason = ErrorReason[item.reason];
        const value = { provider, target, model, attempt, discardFromSequence, reason };
        return this.#next({ case: 'restarted', value });
      }
    }
  }

  /** Makes the last event. */
  finished(value: StreamChatResponse_Finished): StreamChatResponse {
    return this.#next({ case: 'finished', value });
  }

  #next(event: StreamEvent): StreamChatResponse {
    this.#sequence += 1n;
    return create(StreamChatResponseSchema, { sequence: this.#sequence, event });
  }
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
