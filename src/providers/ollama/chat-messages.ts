import type { ToolCall } from '../../../gen/understudy/v1/chat_pb.ts';
import type { Failure } from '../../core/failure.ts';
import { base64 } from '../shared/json/base64.ts';
import type { ReadPart, Turn } from '../shared/conversation.ts';
import { textsOf } from '../shared/conversation.ts';
import { exactJson } from '../shared/json/exact-json.ts';
import type { JsonRecord } from '../shared/json/value.ts';
import { invalid } from '../shared/provider-failure.ts';

type Refusal = { readonly failure: Failure };

/**
 * Translates a conversation. A message has one text, so its texts become paragraphs; images stand beside it, and so do
 * reasoning and calls, whose arguments are an object here. Each result of a tool is a message of its own, which names the
 * tool. That a tool failed has no field: the word `Error:` begins what it returned.
 */
export function ollamaMessages(turns: readonly Turn[]): readonly JsonRecord[] | Refusal {
  const messages: JsonRecord[] = [];
  const toolNames = new Map<string, string>();
  for (const turn of turns) {
    if (turn.role === 'tool') {
      messages.push(...turn.parts.flatMap((part) => resultMessage(part, toolNames)));
      continue;
    }
    const calls = callsOf(turn, toolNames);
    if ('failure' in calls) return calls;
    const images = turn.parts.flatMap(imageOf);
    const thinking = turn.parts.map(({ part }) => (part.case === 'reasoning' ? part.value.text : '')).join('');
    messages.push({
      role: turn.role,
      content: textsOf(turn).join('\n\n'),
      ...(images.length > 0 && { images }),
      ...(thinking !== '' && { thinking }),
      ...(calls.length > 0 && { tool_calls: calls }),
    });
  }
  return messages;
}

function callsOf({ parts }: Turn, toolNames: Map<string, string>): readonly JsonRecord[] | Refusal {
  const calls: JsonRecord[] = [];
  for (const { part, place } of parts) {
    if (part.case !== 'toolCall') continue;
    const call = callOf(part.value);
    if (call === undefined) {
      return { failure: invalid(`${place}.tool_call.arguments_json`, 'It must be a JSON object.') };
    }
    toolNames.set(part.value.id, part.value.name);
    calls.push(call);
  }
  return calls;
}

function callOf({ id, name, argumentsJson }: ToolCall): JsonRecord | undefined {
  const read = argumentsJson === '' ? {} : exactJson(argumentsJson);
  return read && { id, function: { name, arguments: read } };
}

function imageOf({ part }: ReadPart): readonly string[] {
  return part.case === 'image' && part.value.source.case === 'data' ? [base64(part.value.source.value)] : [];
}

function resultMessage({ part, content }: ReadPart, toolNames: ReadonlyMap<string, string>): readonly JsonRecord[] {
  if (part.case !== 'toolResult') return [];
  const { toolCallId, isError } = part.value;
  const texts = content.flatMap((inner) => (inner.part.case === 'text' ? [inner.part.value] : []));
  const [first = '', ...others] = texts;
  const said = isError ? [`Error: ${first}`.trim(), ...others] : texts;
  const name = toolNames.get(toolCallId);
  return [
    {
      role: 'tool',
      content: said.join('\n\n'),
      tool_call_id: toolCallId,
      ...(name !== undefined && { tool_name: name }),
    },
  ];
}
