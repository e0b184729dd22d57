import { expect } from 'vitest';

import type { Message, Part } from '../../gen/understudy/v1/chat_pb.ts';
import { GenerationOptionsSchema } from '../../gen/understudy/v1/chat_pb.ts';
import type { ChatRequest } from '../../gen/understudy/v1/llm_pb.ts';
import type { WireRequest } from '../../src/providers/port/adapter.ts';
import { asRecord, textOf } from '../../src/providers/shared/json/value.ts';

/** Lists what of a request is neither in the body nor named by a warning. */
export function lostOf(chat: ChatRequest, wire: WireRequest): string[] {
  const body = JSON.stringify(wire.body);
  const has = (value: string): boolean => body.includes(JSON.stringify(value).slice(1, -1));
  const warned = (field: string): boolean => wire.warnings.some((warning) => warning.field.startsWith(field));
  const lost: string[] = [];
  const need = (field: string, isThere: boolean): void => {
    if (!isThere && !warned(field)) lost.push(field);
  };
  const ids = wireIdsOf(chat, JSON.parse(body));
  for (const [index, message] of chat.messages.entries()) {
    for (const [place, part] of partsOf(message, `messages[${index}].content`)) {
      needPart(part, place, { has, hasJson: (json) => body.includes(json), need, ids });
    }
  }
  const { mode = 0, toolNames = [] } = chat.toolChoice ?? {};
  for (const [index, { kind }] of chat.tools.entries()) {
    const tool = kind.value;
    // Tools that may not be called need not be sent.
    if (tool === undefined || mode === 2 || (toolNames.length > 0 && !toolNames.includes(tool.name))) continue;
    need(`tools[${index}]`, has(tool.name) && has(tool.description));
    const properties = tool.parametersJson === '' ? {} : propertiesOf(tool.parametersJson);
    need(`tools[${index}].function.parameters_json`, Object.keys(properties).every(has));
  }
  const { options } = chat;
  if (options === undefined) return lost;
  for (const { localName, name, enum: words } of GenerationOptionsSchema.fields) {
    const value: unknown = Object.entries(options).find(([key]) => key === localName)?.[1];
    if ((typeof value === 'number' && words === undefined) || typeof value === 'bigint')
      need(`options.${name}`, numbersIn(body).has(Number(value)));
    // Where the cache has no key, the end of the prompt is marked instead.
    const isMarked = localName === 'promptCacheKey' && body.includes('"cache_control"');
    if (typeof value === 'string') need(`options.${name}`, has(value) || isMarked);
  }
  for (const stop of options.stop) need('options.stop', has(stop) || wire.localStop.includes(stop));
  const format = options.responseFormat?.format.case;
  if (format === 'jsonSchema') need('options.response_format', body.includes('"a":{') || wire.localSchema === true);
  return lost;
}

/** Returns the ids that calls and results have in a body, in whatever dialect, in order. */
export function callIdsIn(body: unknown): { readonly calls: readonly string[]; readonly results: readonly string[] } {
  const calls: string[] = [];
  const results: string[] = [];
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(walk);
    const record = asRecord(value);
    if (record === undefined) return;
    const { type, id, function: called, call_id: callId, tool_call_id: answered, tool_use_id: used } = record;
    if ((called !== undefined && id !== undefined) || type === 'tool_use') calls.push(textOf(id));
    if (type === 'function_call') calls.push(textOf(callId));
    if (type === 'function_call_output') results.push(textOf(callId));
    for (const result of [answered, used]) if (result !== undefined) results.push(textOf(result));
    Object.values(record).forEach(walk);
  };
  const { messages, input } = asRecord(body) ?? {};
  walk(messages ?? input);
  return { calls, results };
}

/** The ids of calls at the provider by those of the contract, and those that results have there. */
interface WireIds {
  readonly calls: ReadonlyMap<string, string>;
  readonly results: readonly string[];
}

function wireIdsOf(chat: ChatRequest, body: unknown): WireIds {
  const { calls: found, results } = callIdsIn(body);
  const asked = chat.messages.flatMap(({ content }) =>
    content.flatMap(({ part }) => (part.case === 'toolCall' ? [part.value.id] : [])),
  );
  const calls = new Map(asked.map((id, index) => [id, found[index] ?? '']));
  expect(new Set(calls.values()).size).toBe(asked.length);
  return { calls, results };
}

/** How a body is searched. */
interface Search {
  /** Whether it has a text, within whatever string. */
  readonly has: (value: string) => boolean;
  /** Whether it has a JSON value as such. */
  readonly hasJson: (json: string) => boolean;
  readonly need: (field: string, isThere: boolean) => void;
  readonly ids: WireIds;
}

function needPart({ part }: Part, place: string, { has, hasJson, need, ids }: Search): void {
  if (part.case === 'text') need(place, has(part.value));
  if (part.case === 'image') {
    const { source } = part.value;
    if (source.case === 'url') need(place, has(source.value));
    if (source.case === 'data') need(place, has(Buffer.from(source.value).toString('base64')));
  }
  if (part.case === 'file') {
    const { data, filename } = part.value;
    const isText = has(Buffer.from(data).toString('utf8'));
    need(place, isText || has(Buffer.from(data).toString('base64')));
    need(`${place}.file.filename`, filename === '' || has(filename));
  }
  if (part.case === 'toolCall') {
    const { id, name, argumentsJson } = part.value;
    need(`${place}.tool_call`, (ids.calls.get(id) ?? '') !== '' && has(name));
    need(`${place}.tool_call.arguments_json`, has(argumentsJson) || hasJson(argumentsJson));
  }
  if (part.case === 'toolResult') {
    const id = ids.calls.get(part.value.toolCallId) ?? '';
    need(`${place}.tool_result`, ids.results.includes(id));
  }
}

function propertiesOf(schemaJson: string): object {
  return (JSON.parse(schemaJson) as { readonly properties: object }).properties;
}

function numbersIn(body: string): ReadonlySet<number> {
  return new Set(body.match(/-?\d+(?:\.\d+)?/g)?.map(Number));
}

/** Lists the parts of a message and those within results of tools, each with its place; reasoning is left out, since models write their own. */
function partsOf(message: Pick<Message, 'content'>, path: string): [string, Part][] {
  return message.content.flatMap((part, index): [string, Part][] => {
    const place = `${path}[${index}]`;
    const inner = part.part.case === 'toolResult' ? partsOf(part.part.value, `${place}.tool_result.content`) : [];
    return [[place, part], ...inner];
  });
}
