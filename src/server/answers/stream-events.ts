import { create } from '@bufbuild/protobuf';
import { ProviderStateSchema } from '../../../gen/understudy/v1/chat_pb.ts';
import { ErrorReason } from '../../../gen/understudy/v1/error_pb.ts';
import type { StreamChatResponse, StreamChatResponse_Finished } from '../../../gen/understudy/v1/llm_pb.ts';
import {
  StreamChatResponse_PartFinishedSchema,
  StreamChatResponse_PingSchema,
  StreamChatResponse_ReasoningDeltaSchema,
  StreamChatResponse_RestartedSchema,
  StreamChatResponse_StartedSchema,
  StreamChatResponse_TextDeltaSchema,
  StreamChatResponse_ToolCallDeltaSchema,
  StreamChatResponseSchema,
} from '../../../gen/understudy/v1/llm_pb.ts';
import type { Delta } from '../../core/answer.ts';
import type { StreamItem } from './delta-queue.ts';

type StreamEvent = StreamChatResponse['event'];

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
        return this.#next({ case: 'ping', value: create(StreamChatResponse_PingSchema) });
      case 'delta':
        this.#answerFrom ??= sequence;
        return this.#next(deltaEvent(item.delta, this.#target));
      case 'started': {
        const { provider, target, model, number: attempt } = item.serving;
        this.#target = target;
        const value = { requestId: this.#requestId, provider, target, model, attempt };
        return this.#next({ case: 'started', value: create(StreamChatResponse_StartedSchema, value) });
      }
      case 'restarted': {
        const { provider, target, model, number: attempt } = item.serving;
        const discardFromSequence = this.#answerFrom ?? sequence;
        this.#target = target;
        this.#answerFrom = undefined;
        const reason = ErrorReason[item.reason];
        const value = { provider, target, model, attempt, discardFromSequence, reason };
        return this.#next({ case: 'restarted', value: create(StreamChatResponse_RestartedSchema, value) });
      }
    }
  }

  /** Makes the last event. */
  finished(value: StreamChatResponse_Finished): StreamChatResponse {
    return this.#next({ case: 'finished', value });
  }

  #next(event: StreamEvent): StreamChatResponse {
    this.#sequence += 1n;
    return { $typeName: StreamChatResponseSchema.typeName, sequence: this.#sequence, event };
  }
}

/** Text and reasoning are written out whole: a stream has hundreds, and `create` takes several times as long. */
function deltaEvent(delta: Delta, target: string): StreamEvent {
  const partIndex = delta.index;
  switch (delta.kind) {
    case 'text': {
      const { typeName: $typeName } = StreamChatResponse_TextDeltaSchema;
      return { case: 'textDelta', value: { $typeName, partIndex, text: delta.text } };
    }
    case 'reasoning': {
      const { typeName: $typeName } = StreamChatResponse_ReasoningDeltaSchema;
      return { case: 'reasoningDelta', value: { $typeName, partIndex, text: delta.text } };
    }
    case 'tool_call': {
      const { id = '', name = '', argumentsFragment } = delta;
      const value = { partIndex, id, name, argumentsFragment };
      return { case: 'toolCallDelta', value: create(StreamChatResponse_ToolCallDeltaSchema, value) };
    }
    case 'part_finished': {
      const { state: data } = delta;
      const providerState = data && create(ProviderStateSchema, { target, data });
      const value = create(StreamChatResponse_PartFinishedSchema, { partIndex, providerState });
      return { case: 'partFinished', value };
    }
  }
}
