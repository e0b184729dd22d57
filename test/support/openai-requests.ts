import type { MessageInitShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import type { MessageSchema, PartSchema } from '../../gen/understudy/v1/chat_pb.ts';
import { Role, ToolChoiceMode } from '../../gen/understudy/v1/chat_pb.ts';
import { ChatRequestSchema } from '../../gen/understudy/v1/llm_pb.ts';
import type { Chat } from '../../src/providers/port/adapter.ts';
import type { JsonRecord } from '../../src/providers/shared/json/value.ts';
import { asRecord, recordsOf, textOf } from '../../src/providers/shared/json/value.ts';

type MessageInit = MessageInitShape<typeof MessageSchema>;
type PartInit = MessageInitShape<typeof PartSchema>;
type ChatInit = MessageInitShape<typeof ChatRequestSchema>;

/** What others sent has no form in the contract: audio, uploaded files, tools of the provider, malformed messages. */
class Untranslatable extends Error {}

const ROLES = { system: Role.SYSTEM, developer: Role.SYSTEM, user: Role.USER, assistant: Role.ASSISTANT };

/** Reads a recorded body of either API of OpenAI back into the contract; undefined where it has no form there. */
export function chatFromBody(body: unknown, target: string): Chat | undefined {
  const request = asRecord(body);
  if (request === undefined) return undefined;
  try {
    const format = asRecord(request['response_format']) ?? asRecord(asRecord(request['text'])?.['format']);
    return create(ChatRequestSchema, {
      messages: [...instructions(request), ...messagesOf(request, target)],
      tools: recordsOf(request['tools']).map(toolOf),
      ...choiceOf(request['tool_choice']),
      options: {
        ...(typeof request['parallel_tool_calls'] === 'boolean' && {
          parallelToolCalls: request['parallel_tool_calls'],
        }),
        ...formatOf(format),
      },
    });
  } catch (error) {
    if (error instanceof Untranslatable) return undefined;
    throw error;
  }
}

function instructions({ instructions: words }: JsonRecord): readonly MessageInit[] {
  return textOf(words) === '' ? [] : [{ role: Role.SYSTEM, content: [textPart(textOf(words))] }];
}

function messagesOf({ messages, input }: JsonRecord, target: string): readonly MessageInit[] {
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : recordsOf(messages ?? input);
  const read: { role: Role; content: PartInit[] }[] = [];
  for (const item of items) {
    const { role, content } = messageOf(item, target);
    const last = read.at(-1);
    // The Responses API has an item for each call; in the contract they are parts of one message.
    if (input !== undefined && last?.role === role && role !== Role.SYSTEM && role !== Role.USER) {
      last.content.push(...content);
    } else read.push({ role, content: [...content] });
  }
  if (read.length === 0) throw new Untranslatable();
  return read;
}

function messageOf(item: JsonRecord, target: string): { role: Role; content: readonly PartInit[] } {
  const { type, role } = item;
  if (type === 'function_call') {
    return { role: Role.ASSISTANT, content: [callPart(item['call_id'], item['name'], item['arguments'])] };
  }
  if (type === 'function_call_output') return resultMessage(item['call_id'], item['output']);
  if (type === 'reasoning') {
    if (textOf(item['encrypted_content']) === '') throw new Untranslatable();
    const data = new TextEncoder().encode(JSON.stringify(item));
    const part = { case: 'reasoning', value: { text: '' } } as const;
    return { role: Role.ASSISTANT, content: [{ part, providerState: { target, data } }] };
  }
  if (role === 'tool') return resultMessage(item['tool_call_id'], item['content']);
  if (typeof role !== 'string' || !(role in ROLES) || 'function_call' in item) throw new Untranslatable();
  const known = ROLES[role === 'developer' || role === 'user' || role === 'assistant' ? role : 'system'];
  const calls = recordsOf(item['tool_calls']).map((call) => {
    const described = asRecord(call['function']) ?? {};
    return callPart(call['id'], described['name'], described['arguments']);
  });
  return { role: known, content: [...partsOf(item['content']), ...calls] };
}

function resultMessage(id: unknown, output: unknown): { role: Role; content: readonly PartInit[] } {
  const value = { toolCallId: textOf(id), content: [...partsOf(output)] };
  return { role: Role.TOOL, content: [{ part: { case: 'toolResult', value } }] };
}

function partsOf(content: unknown): readonly PartInit[] {
  if (content === null || content === undefined || content === '') return [];
  if (typeof content === 'string') return [textPart(content)];
  if (!Array.isArray(content)) throw new Untranslatable();
  return recordsOf(content).map((part) =>
    Object.assign(partOf(part), { cacheBreakpoint: 'prompt_cache_breakpoint' in part }),
  );
}

function partOf(part: JsonRecord): PartInit {
  switch (part['type']) {
    case 'text':
    case 'input_text':
    case 'output_text':
      return textPart(textOf(part['text']));
    case 'image_url':
    case 'input_image':
      return imagePart(textOf(asRecord(part['image_url'])?.['url'] ?? part['image_url']));
    case 'file':
    case 'input_file':
      return filePart(asRecord(part['file']) ?? part);
    default:
      throw new Untranslatable();
  }
}

function textPart(value: string): PartInit {
  return { part: { case: 'text', value } };
}

function callPart(id: unknown, name: unknown, text: unknown): PartInit {
  const value = { id: textOf(id), name: textOf(name), argumentsJson: textOf(text) };
  return { part: { case: 'toolCall', value } };
}

function imagePart(url: string): PartInit {
  if (url.startsWith('https:')) return { part: { case: 'image', value: { source: { case: 'url', value: url } } } };
  const { mediaType, data } = dataOf(url);
  return { part: { case: 'image', value: { source: { case: 'data', value: data }, mediaType } } };
}

function filePart(file: JsonRecord): PartInit {
  return {
    part: { case: 'file', value: { ...dataOf(textOf(file['file_data'])), filename: textOf(file['filename']) } },
  };
}

/** Long bytes are elided in the recordings, with a note that is no base64. */
function dataOf(url: string): { mediaType: string; data: Uint8Array<ArrayBuffer> } {
  const match = /^data:([^;]+);base64,([A-Za-z0-9+/=]+)/.exec(url);
  if (match === null) throw new Untranslatable();
  return { mediaType: match[1] ?? '', data: new Uint8Array(Buffer.from(match[2] ?? '', 'base64')) };
}

function toolOf(tool: JsonRecord): NonNullable<ChatInit['tools']>[number] {
  if (tool['type'] !== 'function') throw new Untranslatable();
  const described = asRecord(tool['function']) ?? tool;
  const parameters = described['parameters'];
  return {
    kind: {
      case: 'function',
      value: {
        name: textOf(described['name']),
        description: textOf(described['description']),
        parametersJson: parameters === undefined ? '' : JSON.stringify(parameters),
        strict: described['strict'] === true,
      },
    },
  };
}

function choiceOf(choice: unknown): Pick<ChatInit, 'toolChoice'> {
  const modes = { auto: ToolChoiceMode.AUTO, none: ToolChoiceMode.NONE, required: ToolChoiceMode.REQUIRED };
  if (choice === undefined || choice === null) return {};
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { toolChoice: { mode: modes[choice] } };
  const chosen = asRecord(choice) ?? {};
  const allowed = asRecord(chosen['allowed_tools']) ?? (chosen['type'] === 'allowed_tools' ? chosen : undefined);
  const mode = allowed?.['mode'] === 'auto' ? ToolChoiceMode.AUTO : ToolChoiceMode.REQUIRED;
  const tools = allowed === undefined ? [chosen] : recordsOf(allowed['tools']);
  const toolNames = tools.map((tool) => textOf((asRecord(tool['function']) ?? tool)['name']));
  return { toolChoice: { mode, toolNames } };
}

function formatOf(format: JsonRecord | undefined): Pick<NonNullable<ChatInit['options']>, 'responseFormat'> {
  if (format === undefined || format['type'] === 'text') return {};
  if (format['type'] === 'json_object') return { responseFormat: { format: { case: 'jsonObject', value: {} } } };
  const schema = asRecord(format['json_schema']) ?? format;
  const value = {
    name: textOf(schema['name']),
    schemaJson: JSON.stringify(schema['schema']),
    strict: schema['strict'] === true,
  };
  return { responseFormat: { format: { case: 'jsonSchema', value } } };
}
