import type { ReadPart, Turn } from '../../shared/conversation.ts';
import { stateRecord } from '../../shared/json/state-bytes.ts';
import type { JsonRecord } from '../../shared/json/value.ts';
import { recordsOf, textOf } from '../../shared/json/value.ts';
import type { CacheMarks } from '../shared/input-parts.ts';
import { contentOf, fileData, imageUrl, markOf, resultParts } from '../shared/input-parts.ts';

/** A conversation in the form of the Responses API. */
interface ResponsesInput {
  /** Instructions before the first turn; empty where there are none. */
  readonly instructions: string;
  readonly input: readonly JsonRecord[];
}

/** What the writing of a conversation depends on besides it. */
interface InputStyle {
  /** The parts after which the prompt shall be cached. */
  readonly marks: CacheMarks;
  /** The role of instructions behind the first turn. */
  readonly systemRole: 'system' | 'developer';
  /** Whether the request asks for any, so that instructions must be where they could have one. */
  readonly asksForMarks: boolean;
  /** Whether the model can read the reasoning of earlier turns. */
  readonly replaysReasoning: boolean;
  /** Gives a tool call, and its result, the id that it has at the provider; asked in the order of the conversation. */
  readonly toolId: (id: string) => string;
}

/**
 * Writes a conversation as input of the Responses API. Instructions before the first turn become `instructions`, unless
 * they are all there is, since without any input the API refuses the call, or the request has marks, which only input can have. What
 * they are must not change while the conversation grows, or nothing of it would be found in the cache: neither with the marks, which
 * move, nor when the assistant has answered to nothing but instructions.
 */
export function responsesInput(turns: readonly Turn[], style: InputStyle): ResponsesInput {
  const first = turns.findIndex(({ role }) => role !== 'system');
  const isInput = first < 0 || turns[first]?.role === 'assistant' || style.asksForMarks;
  const leading = isInput ? [] : turns.slice(0, first);
  return {
    instructions: leading.flatMap(({ parts }) => parts.map(wordsOf)).join('\n\n'),
    input: turns.slice(leading.length).flatMap((turn) => inputItems(turn, style)),
  };
}

function wordsOf({ part }: ReadPart): string {
  return part.case === 'text' ? part.value : '';
}

function inputItems({ role, parts }: Turn, style: InputStyle) {
  if (role === 'assistant') return assistantItems(parts, style);
  if (role === 'tool') return parts.map((part) => resultItem(part, style));
  return [{ role: role === 'system' ? style.systemRole : role, content: inputContent(parts, style.marks) }];
}

function inputContent(parts: readonly ReadPart[], marks: CacheMarks): string | readonly JsonRecord[] {
  return contentOf(parts, marks, (part) => ({ ...inputPart(part), ...markOf(part, marks) }));
}

function inputPart({ part }: ReadPart): JsonRecord {
  switch (part.case) {
    case 'text':
      return { type: 'input_text', text: part.value };
    case 'image':
      return { type: 'input_image', image_url: imageUrl(part.value), detail: 'auto' };
    case 'file':
      return { type: 'input_file', ...fileData(part.value) };
    case 'reasoning':
    case 'toolCall':
    case 'toolResult':
      return {};
  }
}

function resultItem(result: ReadPart, { marks, toolId }: InputStyle): JsonRecord {
  const { part } = result;
  const parts = resultParts(result);
  return {
    type: 'function_call_output',
    call_id: part.case === 'toolResult' ? toolId(part.value.toolCallId) : '',
    output: parts.length === 0 ? '' : inputContent(parts, marks),
  };
}

/** Writes what the assistant said, thought and called, in order; every text is an item, as it was in the answer. */
function assistantItems(parts: readonly ReadPart[], { replaysReasoning, toolId }: InputStyle): readonly JsonRecord[] {
  return parts.flatMap(({ part, state }): readonly JsonRecord[] => {
    if (part.case === 'text') {
      const phase = textOf(stateRecord(state)?.phase);
      return [{ role: 'assistant', content: part.value, ...(phase === '' ? {} : { phase }) }];
    }
    if (part.case === 'toolCall') {
      const { id, name, argumentsJson } = part.value;
      return [
        { type: 'function_call', call_id: toolId(id), name, arguments: argumentsJson === '' ? '{}' : argumentsJson },
      ];
    }
    return part.case === 'reasoning' && replaysReasoning ? reasoningItems(stateRecord(state)) : [];
  });
}

/**
 * Writes a reasoning item as it came, without its id: the API would look for the ids of the items that followed it. Only
 * encrypted reasoning can be sent back where nothing is stored.
 */
function reasoningItems(item: JsonRecord | undefined): readonly JsonRecord[] {
  if (item?.type !== 'reasoning' || textOf(item.encrypted_content) === '') return [];
  const content = recordsOf(item.content);
  const { summary, encrypted_content: encrypted } = item;
  const words = content.length === 0 ? {} : { content };
  return [{ type: 'reasoning', summary: recordsOf(summary), ...words, encrypted_content: encrypted }];
}
