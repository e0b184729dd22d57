import type { ToolCall } from '../../../../gen/understudy/v1/chat_pb.ts';
import type { Quirk } from '../../port/quirk.ts';
import type { ReadPart, Turn } from '../../shared/conversation.ts';
import type { JsonRecord } from '../../shared/json/value.ts';
import type { CacheMarks } from '../shared/input-parts.ts';
import { contentOf, fileData, imageUrl, markOf, resultParts } from '../shared/input-parts.ts';
import { returnedCallFields, returnedFields } from './message-state.ts';
import type { SystemStyle } from './system-turns.ts';
import { joinedSystem } from './system-turns.ts';

/** What of messages the providers that speak Chat Completions have in different forms. */
export interface MessageStyle extends SystemStyle {
  /** The role of instructions. */
  readonly systemRole: 'system' | 'developer';
  /** Whether the message of a tool may have several parts; otherwise its texts become paragraphs of one. */
  readonly partsInToolMessages: boolean;
  /**
   * What of the assistant's reasoning comes back: none; all of it, in a field that every message must have; or what the server has
   * given out with a state.
   */
  readonly replaysReasoning: 'never' | 'always' | 'by_state';
  /** What the server takes otherwise than others. */
  readonly quirks: ReadonlySet<Quirk>;
  /** The parts after which the prompt shall be cached. */
  readonly marks: CacheMarks;
  /** Gives a tool call, and its result, the id that it has at the provider; asked in the order of the conversation. */
  readonly toolId: (id: string) => string;
}

/**
 * Writes a conversation as messages of Chat Completions. A message of the assistant has its texts before its calls, since the
 * API has no place for what stands between or behind them; every result of a tool is a message of its own.
 */
export function chatMessages(turns: readonly Turn[], style: MessageStyle): readonly JsonRecord[] {
  const messages: JsonRecord[] = [];
  for (const { role, parts } of joinedSystem(turns, style)) {
    if (role === 'assistant') messages.push(...assistantMessage(parts, style));
    else if (role === 'tool') messages.push(...parts.map((part) => toolMessage(part, style)));
    else messages.push({ role: role === 'system' ? style.systemRole : role, content: written(parts, style) });
  }
  return messages;
}

function written(parts: readonly ReadPart[], { marks, quirks }: MessageStyle): string | readonly JsonRecord[] {
  if (quirks.has('content as text') && parts.every(({ part }) => part.case === 'text')) {
    return parts.map(({ part }) => (part.case === 'text' ? part.value : '')).join('\n\n');
  }
  return contentOf(parts, marks, (part) => ({ ...chatPart(part), ...markOf(part, marks) }));
}

function chatPart({ part }: ReadPart): JsonRecord {
  switch (part.case) {
    case 'text':
      return { type: 'text', text: part.value };
    case 'image':
      return { type: 'image_url', image_url: { url: imageUrl(part.value) } };
    case 'file':
      return { type: 'file', file: fileData(part.value) };
    case 'reasoning':
    case 'toolCall':
    case 'toolResult':
      return {};
  }
}

function assistantMessage(parts: readonly ReadPart[], style: MessageStyle): readonly JsonRecord[] {
  const texts = parts.filter(({ part }) => part.case === 'text');
  const calls: JsonRecord[] = [];
  for (const read of parts) {
    if (read.part.case === 'toolCall') calls.push(chatCall(read.part.value, read, calls.length === 0, style));
  }
  if (texts.length === 0 && calls.length === 0) return [];
  return [
    {
      role: 'assistant',
      content: texts.length === 0 && !style.quirks.has('content as text') ? null : written(texts, style),
      ...reasoningFields(parts, style),
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
    },
  ];
}

function reasoningFields(parts: readonly ReadPart[], { replaysReasoning, quirks }: MessageStyle): JsonRecord {
  switch (replaysReasoning) {
    case 'never':
      return {};
    case 'always':
      // What another model has reasoned is not shown, but the field must be there.
      if (quirks.has('no reasoning_content')) return {};
      return {
        reasoning_content: parts.map(({ part }) => (part.case === 'reasoning' ? part.value.text : '')).join(''),
      };
    case 'by_state':
      return returnedFields(parts, quirks);
  }
}

function chatCall(
  { id, name, argumentsJson }: ToolCall,
  call: ReadPart,
  isFirst: boolean,
  { toolId, replaysReasoning, quirks }: MessageStyle,
): JsonRecord {
  return {
    id: toolId(id),
    type: 'function',
    function: { name, arguments: argumentsJson === '' ? '{}' : argumentsJson },
    ...(replaysReasoning === 'by_state' ? returnedCallFields(call, isFirst, quirks) : {}),
  };
}

function toolMessage(result: ReadPart, style: MessageStyle): JsonRecord {
  const { part } = result;
  const parts = resultParts(result);
  const texts = parts.map((inner) => (inner.part.case === 'text' ? inner.part.value : ''));
  return {
    role: 'tool',
    tool_call_id: part.case === 'toolResult' ? style.toolId(part.value.toolCallId) : '',
    content: style.partsInToolMessages && parts.length > 0 ? written(parts, style) : texts.join('\n\n'),
  };
}
