import type { Message, Part } from '../../gen/understudy/v1/chat_pb.ts';
import { Role, ToolChoiceMode } from '../../gen/understudy/v1/chat_pb.ts';
import type { Failure } from '../core/failure.ts';
import type { AdapterWarning, Chat } from './adapter.ts';
import { unsupported } from './provider-failure.ts';
import { parameterDropped, stateDropped } from './warnings.ts';

/** A message as far as text goes; never without a text or a state. */
export interface TextMessage {
  readonly role: 'system' | 'user' | 'assistant';
  /** None of them empty. */
  readonly texts: readonly string[];
  /** What this target wants back with the message, in order. */
  readonly states: readonly Uint8Array[];
}

/** A conversation of texts that ends with somebody else than the assistant. */
export interface TextChat {
  readonly messages: readonly TextMessage[];
  readonly warnings: readonly AdapterWarning[];
}

/** A tool's message is no text, nor is one of a role that this version does not know. */
const ROLES: ReadonlyMap<Role, TextMessage['role']> = new Map<Role, TextMessage['role']>([
  [Role.SYSTEM, 'system'],
  [Role.USER, 'user'],
  [Role.ASSISTANT, 'assistant'],
]);

/** Names of the parts in the contract, for those that are no text. */
const PART_FIELDS = {
  image: 'image',
  file: 'file',
  toolCall: 'tool_call',
  toolResult: 'tool_result',
} as const satisfies Record<Exclude<Part['part']['case'], 'text' | 'reasoning' | undefined>, string>;

/**
 * Reads a request for an adapter that translates text alone, or says with the field what in it is more than that. A
 * conversation that ends with the assistant is refused too: it would be a prefill, which current models reject and which
 * splices answers. Reasoning of earlier turns is left out, since models write their own; its state is kept where `target` has
 * made it, and otherwise named by a warning. Messages of which nothing remains are left out.
 */
export function textChat(chat: Chat, target: string): TextChat | { readonly failure: Failure } {
  const feature = beyondText(chat);
  if (feature !== undefined) return { failure: feature };
  const messages: TextMessage[] = [];
  const warnings: AdapterWarning[] = [];
  if (chat.options?.parallelToolCalls !== undefined) {
    warnings.push(parameterDropped('options.parallel_tool_calls', 'Without tools it means nothing; it was left out.'));
  }
  let position = 0;
  for (const message of chat.messages) {
    const read = readMessage(message, position, target, warnings);
    position += 1;
    if ('failure' in read) return read;
    if (read.texts.length > 0 || read.states.length > 0) messages.push(read);
  }
  if (messages.findLast(({ role }) => role !== 'system')?.role === 'assistant') {
    return { failure: unsupported('messages', 'The conversation must not end with a message of the assistant.') };
  }
  return { messages, warnings };
}

function readMessage(
  { role, content }: Message,
  position: number,
  target: string,
  warnings: AdapterWarning[],
): TextMessage | { readonly failure: Failure } {
  const texts: string[] = [];
  const states: Uint8Array[] = [];
  let index = -1;
  for (const { part, providerState } of content) {
    index += 1;
    if (part.case === 'text') {
      if (part.value !== '') texts.push(part.value);
    } else if (part.case !== 'reasoning') {
      const place = placeOf(position, index);
      return onlyText(part.case === undefined ? place : `${place}.${PART_FIELDS[part.case]}`);
    }
    if (providerState?.target === target) states.push(providerState.data);
    else if (providerState !== undefined) {
      warnings.push(stateDropped(`${placeOf(position, index)}.provider_state`));
    }
  }
  const speaker = ROLES.get(role);
  return speaker === undefined ? onlyText(`messages[${position}].role`) : { role: speaker, texts, states };
}

function placeOf(position: number, index: number): string {
  return `messages[${position}].content[${index}]`;
}

function beyondText(chat: Chat): Failure | undefined {
  if (chat.tools.length > 0) return unsupported('tools', 'Tools are not supported by this provider.');
  if (chat.toolChoice?.mode === ToolChoiceMode.REQUIRED) {
    return unsupported('tool_choice', 'Tools are not supported by this provider.');
  }
  const format = chat.options?.responseFormat?.format.case;
  return format === 'jsonObject' || format === 'jsonSchema'
    ? unsupported('options.response_format', 'Answers in JSON are not supported by this provider.')
    : undefined;
}

function onlyText(field: string): { readonly failure: Failure } {
  return { failure: unsupported(field, 'Only text is supported by this provider.') };
}
