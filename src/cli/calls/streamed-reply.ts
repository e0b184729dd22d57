import { create } from '@bufbuild/protobuf';

import {
  type Message,
  MessageSchema,
  type Part,
  PartSchema,
  type ProviderState,
  Role,
} from '../../../gen/understudy/v1/chat_pb.ts';
import type { StreamChatResponse, StreamChatResponse_Finished } from '../../../gen/understudy/v1/llm_pb.ts';

/** A part that is being put together. */
interface Draft {
  readonly kind: 'text' | 'reasoning' | 'toolCall';
  /** Text, reasoning or arguments. */
  body: string;
  id: string;
  name: string;
  state: ProviderState | undefined;
}

/** Puts a streamed answer together from its events, without what a restart discards. */
export class StreamedReply {
  #events: StreamChatResponse[] = [];
  #finished: StreamChatResponse_Finished | undefined;

  /** Takes the next event. */
  add(response: StreamChatResponse): void {
    const { event } = response;
    if (event.case === 'finished') this.#finished = event.value;
    if (event.case === 'restarted') {
      const { discardFromSequence } = event.value;
      this.#events = this.#events.filter(({ sequence }) => sequence < discardFromSequence);
    } else this.#events.push(response);
  }

  /** What the last event says; undefined while the answer is not complete. */
  get finished(): StreamChatResponse_Finished | undefined {
    return this.#finished;
  }

  /** The text so far. */
  get text(): string {
    return this.#drafts()
      .map(({ kind, body }) => (kind === 'text' ? body : ''))
      .join('');
  }

  /** The message so far, which can be sent back as it is. */
  get message(): Message {
    return create(MessageSchema, { role: Role.ASSISTANT, content: this.#drafts().map(partOf) });
  }

  #drafts(): readonly Draft[] {
    const drafts = new Map<number, Draft>();
    const at = (index: number, kind: Draft['kind']): Draft => {
      const draft = drafts.get(index) ?? { kind, body: '', id: '', name: '', state: undefined };
      drafts.set(index, draft);
      return draft;
    };
    for (const { event } of this.#events) {
      if (event.case === 'textDelta') at(event.value.partIndex, 'text').body += event.value.text;
      else if (event.case === 'reasoningDelta') at(event.value.partIndex, 'reasoning').body += event.value.text;
      else if (event.case === 'toolCallDelta') {
        const draft = at(event.value.partIndex, 'toolCall');
        draft.id ||= event.value.id;
        draft.name ||= event.value.name;
        draft.body += event.value.argumentsFragment;
      } else if (event.case === 'partFinished' && event.value.providerState !== undefined) {
        // A part that has nothing but a state is reasoning that its provider keeps to itself.
        at(event.value.partIndex, 'reasoning').state = event.value.providerState;
      }
    }
    return [...drafts].sort(([left], [right]) => left - right).map(([, draft]) => draft);
  }
}

function partOf({ kind, body, id, name, state }: Draft): Part {
  const providerState = state === undefined ? {} : { providerState: state };
  if (kind === 'text') return create(PartSchema, { part: { case: 'text', value: body }, ...providerState });
  if (kind === 'reasoning') {
    return create(PartSchema, { part: { case: 'reasoning', value: { text: body } }, ...providerState });
  }
  return create(PartSchema, { part: { case: 'toolCall', value: { id, name, argumentsJson: body } }, ...providerState });
}
