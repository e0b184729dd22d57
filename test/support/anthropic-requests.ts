import type { MessageInitShape } from '@bufbuild/protobuf';
import type { GenerationOptionsSchema, ToolChoiceSchema } from '../../gen/understudy/v1/chat_pb.ts';
import { Role, ToolChoiceMode } from '../../gen/understudy/v1/chat_pb.ts';
import type { Chat } from '../../src/providers/port/adapter.ts';
import { encodeState } from '../../src/providers/anthropic/thinking-state.ts';
import type { JsonRecord } from '../../src/providers/shared/json/value.ts';
import { asRecord, recordsOf, textOf } from '../../src/providers/shared/json/value.ts';
import type { MessageInit, PartInit } from './chat-parts.ts';
import { cached, call, file, image, imageAt, requestOf, result, text, tool } from './chat-parts.ts';

/** Something in a recorded body that the contract has no words for. */
export class Inexpressible extends Error {}

/** Says a recorded request body of the Messages API in the contract's terms; `target` made its reasoning. */
export function requestOfAnthropic(body: JsonRecord, target: string): Chat {
  const messages = [
    ...systemOf(body['system']),
    ...recordsOf(body['messages']).flatMap((message) => messagesOf(message, target)),
  ];
  const format = asRecord(asRecord(body['output_config'])?.['format']) ?? asRecord(body['output_format']);
  const options: MessageInitShape<typeof GenerationOptionsSchema> = {
    maxTokens: Number(body['max_tokens']),
    stop: Array.isArray(body['stop_sequences']) ? body['stop_sequences'].map(String) : [],
    ...(asRecord(body['tool_choice'])?.['disable_parallel_tool_use'] === true && { parallelToolCalls: false }),
    ...(format && {
      responseFormat: {
        format: { case: 'jsonSchema', value: { name: 'recorded', schemaJson: JSON.stringify(format['schema']) } },
      },
    }),
  };
  const tools = recordsOf(body['tools']).map(toolOf);
  return requestOf(messages, { options, tools, ...choiceOf(body['tool_choice']) });
}

/** Returns what of a recorded body has to come back, in the one form of several that we write. */
export function canonicalBody(body: JsonRecord): JsonRecord {
  const format = asRecord(asRecord(body['output_config'])?.['format']) ?? asRecord(body['output_format']);
  const choice = asRecord(body['tool_choice']);
  const isDefault = choice?.['type'] === 'auto' && choice['disable_parallel_tool_use'] !== true;
  const messages: { role: unknown; content: unknown[] }[] = [];
  for (const { role, content } of recordsOf(body['messages'])) {
    const blocks = blocksOf(content).map(canonicalBlock);
    const last = messages.at(-1);
    if (last !== undefined && last.role === role) last.content.push(...blocks);
    else messages.push({ role, content: blocks });
  }
  return {
    model: body['model'],
    max_tokens: body['max_tokens'],
    messages,
    ...(body['system'] !== undefined && { system: blocksOf(body['system']).map(canonicalBlock) }),
    ...(recordsOf(body['tools']).length > 0 && { tools: recordsOf(body['tools']).map(canonicalTool) }),
    ...(choice && !isDefault && { tool_choice: choice }),
    ...(body['stop_sequences'] !== undefined && { stop_sequences: body['stop_sequences'] }),
    ...(format && { output_config: { format: { type: 'json_schema', schema: format['schema'] } } }),
  };
}

function blocksOf(content: unknown): readonly JsonRecord[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : recordsOf(content);
}

function canonicalTool({ description, strict, ...rest }: JsonRecord): JsonRecord {
  return {
    ...rest,
    ...(description !== '' && description !== undefined && { description }),
    ...(strict === true && { strict }),
  };
}

function canonicalBlock({ content, cache_control: mark, is_error: isError, source, ...block }: JsonRecord): JsonRecord {
  const inner = content === undefined ? [] : blocksOf(content).map(canonicalBlock);
  return {
    ...block,
    ...(source !== undefined && { source: canonicalSource(asRecord(source) ?? {}) }),
    ...(inner.length > 0 && { content: inner }),
    ...(isError === true && { is_error: true }),
    ...(mark !== undefined && { cache_control: { type: 'ephemeral' } }),
  };
}

/** Long attachments are shortened in recordings, so that they are no base64 any more. */
function canonicalSource({ data, ...rest }: JsonRecord): JsonRecord {
  return { ...rest, ...(data !== undefined && { data: Buffer.from(textOf(data), 'base64').toString('base64') }) };
}

function systemOf(system: unknown): MessageInit[] {
  return system === undefined
    ? []
    : [{ role: Role.SYSTEM, content: blocksOf(system).map((block) => partOf(block, '')) }];
}

function messagesOf({ role, content }: JsonRecord, target: string): MessageInit[] {
  const blocks = blocksOf(content);
  const parts = blocks.map((block) => partOf(block, target));
  if (role === 'assistant') return [{ role: Role.ASSISTANT, content: parts }];
  if (role === 'system') return [{ role: Role.SYSTEM, content: parts }];
  const count = blocks.filter(({ type }) => type === 'tool_result').length;
  return [
    ...(count > 0 ? [{ role: Role.TOOL, content: parts.slice(0, count) }] : []),
    ...(count < parts.length ? [{ role: Role.USER, content: parts.slice(count) }] : []),
  ];
}

function partOf(block: JsonRecord, target: string): PartInit {
  const part = unmarkedPart(block, target);
  return block['cache_control'] === undefined ? part : cached(part);
}

function unmarkedPart(block: JsonRecord, target: string): PartInit {
  const source = asRecord(block['source']) ?? {};
  const data = Buffer.from(textOf(source['data']), source['type'] === 'text' ? 'utf8' : 'base64');
  switch (block['type']) {
    case 'text':
      return text(textOf(block['text']));
    case 'image':
      if (source['type'] === 'url') return imageAt(textOf(source['url']));
      return image(data, textOf(source['media_type']));
    case 'document':
      if (source['type'] === 'url' || source['type'] === 'file') throw new Inexpressible('a document by its address');
      return file(data, textOf(source['media_type']), textOf(block['title']));
    case 'thinking':
      return thought(target, textOf(block['thinking']), { type: 'thinking', signature: textOf(block['signature']) });
    case 'redacted_thinking':
      return thought(target, '', { type: 'redacted_thinking', data: textOf(block['data']) });
    case 'tool_use':
      return call(textOf(block['id']), textOf(block['name']), JSON.stringify(block['input']));
    case 'tool_result': {
      const inner = block['content'] === undefined ? [] : blocksOf(block['content']);
      const parts = inner.map((one) => partOf(one, target));
      return result(textOf(block['tool_use_id']), parts, block['is_error'] === true);
    }
    default:
      throw new Inexpressible(`a block of type ${textOf(block['type'])}`);
  }
}

function thought(target: string, value: string, state: Parameters<typeof encodeState>[0]): PartInit {
  return {
    part: { case: 'reasoning', value: { text: value } },
    providerState: { target, data: encodeState(state) },
  };
}

function toolOf(definition: JsonRecord) {
  const { name, description, input_schema: schema, strict, ...rest } = definition;
  if (schema === undefined) throw new Inexpressible('a tool of the server');
  if (Object.keys(rest).some((field) => field !== 'type')) throw new Inexpressible('a tool with further fields');
  return tool(textOf(name), JSON.stringify(schema), { description: textOf(description), strict: strict === true });
}

const MODES: Readonly<Record<string, ToolChoiceMode>> = {
  auto: ToolChoiceMode.AUTO,
  any: ToolChoiceMode.REQUIRED,
  tool: ToolChoiceMode.REQUIRED,
  none: ToolChoiceMode.NONE,
};

function choiceOf(value: unknown): { toolChoice?: MessageInitShape<typeof ToolChoiceSchema> } {
  const choice = asRecord(value);
  if (choice === undefined) return {};
  const mode = MODES[textOf(choice['type'])] ?? ToolChoiceMode.UNSPECIFIED;
  return { toolChoice: { mode, toolNames: choice['type'] === 'tool' ? [textOf(choice['name'])] : [] } };
}
