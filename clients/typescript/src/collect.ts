import { create } from '@bufbuild/protobuf';
import {
  type Message,
  MessageSchema,
  type Part,
  PartSchema,
  type ProviderState,
  Role,
} from '../gen/understudy/v1/chat_pb.js';
import type {
  StreamChatResponse,
  StreamChatResponse_Finished,
  StreamChatResponse_Restarted,
  StreamChatResponse_Started,
} from '../gen/understudy/v1/llm_pb.js';
import { unfinishedError } from './answer-stream.ts';

/** A streamed answer, put together. */
export interface CollectedAnswer {
  /** The text parts, joined. */
  readonly text: string;
  /** The reasoning, as far as the provider showed it, joined. */
  readonly reasoning: string;
  /** The whole answer: text, reasoning and tool calls in their order. It can be sent back as it is. */
  readonly message: Message;
  /** What the last event says: finish reason, usage, cost, attempts, warnings. */
  readonly finished: StreamChatResponse_Finished;
  /** What the first event says. */
  readonly started: StreamChatResponse_Started | undefined;
  /** Each new beginning, in order. `text`, `reasoning` and `message` hold the last one alone. */
  readonly restarts: readonly StreamChatResponse_Restarted[];
  /** The events that count, in order: without those that a restart discarded, and without pings. */
  readonly events: readonly StreamChatResponse[];
}

/**
 * Reads a stream to its end and puts the answer together as the gateway does for Chat. What a `restarted` event discards is
 * left out. `onEvent` sees every event as it comes, those too that are discarded later; an exception in it aborts the call.
 * Rejects with the error of the stream; with ABORTED, STREAM_INTERRUPTED, if it ended without `finished`.
 */
export async function collect(
  stream: AsyncIterable<StreamChatResponse>,
  onEvent?: (event: StreamChatResponse) => void,
): Promise<CollectedAnswer> {
  let events: StreamChatResponse[] = [];
  const restarts: StreamChatResponse_Restarted[] = [];
  let started: StreamChatResponse_Started | undefined;
  let finished: StreamChatResponse_Finished | undefined;
  for await (const response of stream) {
    onEvent?.(response);
    const { event } = response;
    if (event.case === 'ping') continue;
    if (event.case === 'started') started = event.value;
    if (event.case === 'finished') finished = event.value;
    if (event.case === 'restarted') {
      const { discardFromSequence } = event.value;
      events = events.filter(({ sequence }) => sequence < discardFromSequence);
      restarts.push(event.value);
    }
    events.push(response);
  }
  if (finished === undefined) throw unfinishedError();
  const message = create(MessageSchema, { role: Role.ASSISTANT, content: partsOf(events) });
  const text = message.content.map(({ part }) => (part.case === 'text' ? part.value : '')).join('');
  const reasoning = message.content.map(({ part }) => (part.case === 'reasoning' ? part.value.text : '')).join('');
  return { text, reasoning, message, finished, started, restarts, events };
}

/** A part that is being put together. */
interface PartDraft {
  readonly kind: 'text' | 'reasoning' | 'toolCall';
  /** Text, reasoning or arguments. */
  body: string;
  id: string;
  name: string;
  providerState: ProviderState | undefined;
}

/** Makes the parts of their pieces, in the order of their indexes. */
function partsOf(events: readonly StreamChatResponse[]): Part[] {
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
