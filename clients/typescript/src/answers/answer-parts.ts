import { create } from '@bufbuild/protobuf';
import { type Part, PartSchema, type ProviderState } from '../../gen/understudy/v1/chat_pb.js';
import type { StreamChatResponse } from '../../gen/understudy/v1/llm_pb.js';

/** A part that is being put together. */
interface PartDraft {
  readonly kind: 'text' | 'reasoning' | 'toolCall';
  /** Text, reasoning or arguments. */
  body: string;
  id: string;
  name: string;
  providerState: ProviderState | undefined;
}

/** Makes the parts of an answer of their pieces, in the order of their indexes. */
export function answerParts(events: readonly StreamChatResponse[]): Part[] {
  const drafts = new Map<number, PartDraft>();
  for (const { event } of events) {
    if (event.case === 'textDelta') {
      draftAt(drafts, event.value.partIndex, 'text').body += event.value.text;
    } else if (event.case === 'reasoningDelta') {
      draftAt(drafts, event.value.partIndex, 'reasoning').body += event.value.text;
    } else if (event.case === 'toolCallDelta') {
      const { partIndex, id, name, argumentsFragment } = event.value;
      const draft = draftAt(drafts, partIndex, 'toolCall');
      draft.id ||= id;
      draft.name ||= name;
      draft.body += argumentsFragment;
    } else if (event.case === 'partFinished' && event.value.providerState !== undefined) {
      // A part that has nothing but a state is reasoning that its provider keeps to itself.
      draftAt(drafts, event.value.partIndex, 'reasoning').providerState = event.value.providerState;
    }
  }
  return [...drafts].sort(([left], [right]) => left - right).map(([, draft]) => partOf(draft));
}

function draftAt(drafts: Map<number, PartDraft>, index: number, kind: PartDraft['kind']): PartDraft {
  const draft = drafts.get(index) ?? { kind, body: '', id: '', name: '', providerState: undefined };
  drafts.set(index, draft);
  return draft;
}

function partOf({ kind, body, id, name, providerState }: PartDraft): Part {
  const state = providerState === undefined ? {} : { providerState };
  if (kind === 'text') return create(PartSchema, { part: { case: 'text', value: body }, ...state });
  if (kind === 'reasoning') return create(PartSchema, { part: { case: 'reasoning', value: { text: body } }, ...state });
  return create(PartSchema, { part: { case: 'toolCall', value: { id, name, argumentsJson: body } }, ...state });
}
