import type { MessageInitShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import type { GenerationOptionsSchema, MessageSchema } from '../../gen/understudy/v1/chat_pb.ts';
import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import { ChatRequestSchema } from '../../gen/understudy/v1/llm_pb.ts';
import type { Delta } from '../../src/core/answer.ts';
import type { Failure } from '../../src/core/failure.ts';
import type { AdapterEvent, Chat, WireRequest } from '../../src/providers/port/adapter.ts';

type MessageInit = MessageInitShape<typeof MessageSchema>;

/** Makes a message of texts. */
export function say(role: Role, ...texts: readonly string[]): MessageInit {
  return { role, content: texts.map((text) => ({ part: { case: 'text', value: text } })) };
}

/** Makes a conversation, by default one greeting. */
export function chatOf(
  options: MessageInitShape<typeof GenerationOptionsSchema>,
  messages: MessageInit[] = [say(Role.USER, 'Hi')],
): Chat {
  return create(ChatRequestSchema, { messages, options });
}

/** Makes a text block as several APIs have it. */
export function textPart(text: string) {
  return { type: 'text', text };
}

/** Returns a request that was translated; fails the test where it was refused. */
export function wire(result: WireRequest | Failure): WireRequest {
  if ('class' in result) throw new Error(`refused: ${result.field ?? ''} ${result.message}`);
  return result;
}

/** Returns why a request was refused; fails the test where it was translated. */
export function refusal(result: WireRequest | Failure): Failure {
  if (!('class' in result)) throw new Error('the request was translated');
  return result;
}

/** Returns the pieces of an answer alone. */
export function deltas(events: readonly AdapterEvent[]): readonly Delta[] {
  return events.flatMap((event) => (event.type === 'delta' ? [event.delta] : []));
}

/** Puts an answer together from what an adapter read; later usage replaces earlier. */
export function answer(events: readonly AdapterEvent[]) {
  const pieces = deltas(events);
  const identity = events.find((event) => event.type === 'identity');
  const callIndexes = new Set(pieces.filter(({ kind }) => kind === 'tool_call').map(({ index }) => index));
  return {
    model: identity?.model,
    responseId: identity?.responseId,
    text: pieces.map((piece) => (piece.kind === 'text' ? piece.text : '')).join(''),
    reasoning: pieces.map((piece) => (piece.kind === 'reasoning' ? piece.text : '')).join(''),
    calls: [...callIndexes].map((index) => callOf(pieces, index)),
    usage: events.findLast((event) => event.type === 'usage')?.usage,
    finish: events.find((event) => event.type === 'finish'),
    failure: events.find((event) => event.type === 'failure')?.failure,
  };
}

function callOf(pieces: readonly Delta[], index: number) {
  const own = pieces.filter((piece) => piece.kind === 'tool_call').filter((piece) => piece.index === index);
  return {
    id: own.find(({ id }) => id !== undefined)?.id,
    name: own.find(({ name }) => name !== undefined)?.name,
    arguments: own.map(({ argumentsFragment }) => argumentsFragment).join(''),
  };
}
