import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { type StreamChatResponse, StreamChatResponseSchema } from '../../gen/understudy/v1/llm_pb.js';

/** An event without its sequence. */
export type EventInit = NonNullable<MessageInitShape<typeof StreamChatResponseSchema>['event']>;

/** Makes a text delta. */
export function textDelta(value: string, partIndex = 0): EventInit {
  return { case: 'textDelta', value: { partIndex, text: value } };
}

/** Makes the last event. */
export function finished(): EventInit {
  return { case: 'finished', value: { provider: 'mock', target: 'mock', model: 'mock-ok' } };
}

/** Makes responses of events, numbered from 1. */
export function numbered(events: readonly EventInit[]): StreamChatResponse[] {
  return events.map((event, index) => create(StreamChatResponseSchema, { sequence: BigInt(index + 1), event }));
}

/** Makes a stream of events, numbered from 1, as a call would give them. */
export async function* streamOf(events: readonly EventInit[]): AsyncGenerator<StreamChatResponse> {
  for (const response of numbered(events)) yield await Promise.resolve(response);
}
