import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import {
  type GenerationOptionsSchema,
  type Part,
  PartSchema,
  Role,
  type Tool,
  ToolSchema,
} from '../../gen/understudy/v1/chat_pb.ts';
import {
  GenerateRequestSchema,
  ListModelsRequestSchema,
  StreamChatRequestSchema,
} from '../../gen/understudy/v1/llm_pb.ts';
import type { RoutingOptionsSchema } from '../../gen/understudy/v1/routing_pb.ts';
import { validateChat, validateGenerate, validateListModels } from '../../src/server/validate.ts';
import { chat, ofTheFuture, say, text, toolCall, toolResult } from './support/requests.ts';

const { SYSTEM, USER, ASSISTANT, TOOL } = Role;

function fields(request: Parameters<typeof validateChat>[0]): string[] {
  return validateChat(request).map((violation) => violation.field);
}

function part(value: MessageInitShape<typeof PartSchema>['part']): Part {
  return create(PartSchema, value === undefined ? {} : { part: value });
}

const image = (data: number, mediaType = 'image/png'): Part =>
  part({ case: 'image', value: { source: { case: 'data', value: new Uint8Array(data) }, mediaType } });
const imageUrl = (url: string): Part => part({ case: 'image', value: { source: { case: 'url', value: url } } });
const file = (data: number, mediaType: string): Part =>
  part({ case: 'file', value: { data: new Uint8Array(data), mediaType } });
const asked = say(USER, 'hello');
const called = say(ASSISTANT, toolCall('a'));

describe('a valid conversation', () => {
  test.each([
    ['one message', [asked]],
    ['a system message first', [say(SYSTEM, 'be brief'), asked]],
    ['a system message later', [asked, say(ASSISTANT, 'hi'), say(SYSTEM, 'be brief'), asked]],
    ['an empty text of the assistant', [asked, say(ASSISTANT, ''), asked]],
    ['a tool result', [asked, called, say(TOOL, toolResult('a', text('42')))]],
    ['a tool result without content', [asked, called, say(TOOL, toolResult('a'))]],
    ['a tool result with an image', [asked, called, say(TOOL, toolResult('a', image(1)))]],
    [
      'reasoning of the assistant',
      [asked, say(ASSISTANT, part({ case: 'reasoning', value: { text: '' } }), 'hi'), asked],
    ],
    ['an image of exactly 10 MiB', [say(USER, image(10 * 1024 * 1024))]],
    ['an image by its URL', [say(USER, imageUrl('https://example.com/a.png'))]],
    ['a file', [say(USER, file(1, 'application/pdf'))]],
  ])('%s', (_, messages) => {
    expect(validateChat(chat({ messages }))).toEqual([]);
  });
});

describe('an invalid conversation', () => {
  test.each([
    ['no message', [], ['messages']],
    ['no role', [say(Role.UNSPECIFIED, 'hello')], ['messages[0].role']],
    ['a role of the future', [say(ofTheFuture(99), 'hello')], ['messages[0].role']],
    ['no part', [say(USER)], ['messages[0].content']],
    ['a part that is nothing', [say(USER, part(undefined))], ['messages[0].content[0]']],
    ['an empty text of the user', [say(USER, 'a', '')], ['messages[0].content[1].text']],
    ['an empty system message', [say(SYSTEM, '', ''), asked], ['messages[0].content']],
    ['the assistant first', [say(ASSISTANT, 'hi'), asked], ['messages[0].role']],
    ['the assistant first after the system', [say(SYSTEM, 'a'), say(ASSISTANT, 'hi'), asked], ['messages[1].role']],
    ['the assistant last', [asked, say(ASSISTANT, 'hi')], ['messages[1].role']],
    ['the system alone', [say(SYSTEM, 'a')], ['messages[0].role']],
    ['an image of the assistant', [asked, say(ASSISTANT, image(1)), asked], ['messages[1].content[0].image']],
    ['an image of the system', [say(SYSTEM, 'a', image(1)), asked], ['messages[0].content[1].image']],
    ['a tool call of the user', [say(USER, toolCall('a'))], ['messages[0].content[0].tool_call']],
    ['a tool result of the user', [asked, called, say(USER, toolResult('a'))], ['messages[2].content[0].tool_result']],
    ['text of a tool', [asked, called, say(TOOL, 'x')], ['messages[2].content[0].text']],
    [
      'a tool result without a call',
      [asked, called, say(TOOL, toolResult('b'))],
      ['messages[2].content[0].tool_result.tool_call_id'],
    ],
    [
      'a second result of a call',
      [asked, called, say(TOOL, toolResult('a'), toolResult('a'))],
      ['messages[2].content[1].tool_result.tool_call_id'],
    ],
    [
      'a call in a result',
      [asked, called, say(TOOL, toolResult('a', toolCall('b')))],
      ['messages[2].content[0].tool_result.content[0].tool_call'],
    ],
    ['a second call of an id', [asked, called, called, asked], ['messages[2].content[0].tool_call.id']],
    [
      'a call without id and name',
      [asked, say(ASSISTANT, toolCall('', '')), asked],
      ['messages[1].content[0].tool_call.id', 'messages[1].content[0].tool_call.name'],
    ],
    ['an image over 10 MiB', [say(USER, image(10 * 1024 * 1024 + 1))], ['messages[0].content[0].image.data']],
    ['an empty image', [say(USER, image(0))], ['messages[0].content[0].image.data']],
    ['an image of another type', [say(USER, image(1, 'image/svg+xml'))], ['messages[0].content[0].image.media_type']],
    ['an image of nothing', [say(USER, part({ case: 'image', value: {} }))], ['messages[0].content[0].image']],
    ['an http URL', [say(USER, imageUrl('http://example.com/a'))], ['messages[0].content[0].image.url']],
    ['a URL that is none', [say(USER, imageUrl('a'))], ['messages[0].content[0].image.url']],
    ['a URL over 8 KiB', [say(USER, imageUrl(`https://a/${'b'.repeat(8192)}`))], ['messages[0].content[0].image.url']],
    ['a file without a type', [say(USER, file(1, ''))], ['messages[0].content[0].file.media_type']],
    ['an empty file', [say(USER, file(0, 'application/pdf'))], ['messages[0].content[0].file.data']],
  ])('%s', (_, messages, expected) => {
    expect(fields(chat({ messages }))).toEqual(expected);
  });
});

describe('options', () => {
  type Options = MessageInitShape<typeof GenerationOptionsSchema>;
  const schema = (name: string, schemaJson: string): Options => ({
    responseFormat: { format: { case: 'jsonSchema', value: { name, schemaJson } } },
  });

  test.each<[Options, string[]]>([
    [{ temperature: 0 }, []],
    [{ temperature: 2 }, []],
    [{ temperature: 2.1 }, ['options.temperature']],
    [{ temperature: -0.1 }, ['options.temperature']],
    [{ temperature: Number.NaN }, ['options.temperature']],
    [{ temperature: Number.POSITIVE_INFINITY }, ['options.temperature']],
    [{ topP: 1 }, []],
    [{ topP: 0 }, ['options.top_p']],
    [{ topP: Number.NaN }, ['options.top_p']],
    [{ maxTokens: 1 }, []],
    [{ maxTokens: 0 }, ['options.max_tokens']],
    [{ presencePenalty: -2, frequencyPenalty: 2 }, []],
    [{ presencePenalty: -2.1, frequencyPenalty: 2.1 }, ['options.presence_penalty', 'options.frequency_penalty']],
    [{ stop: Array.from({ length: 16 }, () => 'a') }, []],
    [{ stop: Array.from({ length: 17 }, () => 'a') }, ['options.stop']],
    [{ stop: ['a', ''] }, ['options.stop[1]']],
    [{ reasoningEffort: 7 }, []],
    [{ reasoningEffort: ofTheFuture(8) }, ['options.reasoning_effort']],
    [schema('a', '{"type":"object"}'), []],
    [schema('', '{}'), ['options.response_format.json_schema.name']],
    [schema('a b', '{}'), ['options.response_format.json_schema.name']],
    [schema('a', '[]'), ['options.response_format.json_schema.schema_json']],
    [schema('a', 'null'), ['options.response_format.json_schema.schema_json']],
    [schema('a', '{'), ['options.response_format.json_schema.schema_json']],
    [{ providerOptions: { openai: {} } }, []],
    [{ providerOptions: { gemini: {} } }, ['options.provider_options["gemini"]']],
  ])('%j', (options, expected) => {
    expect(fields(chat({ options }))).toEqual(expected);
  });
});

describe('tools', () => {
  const tool = (name: string, parametersJson = ''): Tool =>
    create(ToolSchema, { kind: { case: 'function', value: { name, parametersJson } } });

  test.each<[string, Tool[], string[]]>([
    ['two tools', [tool('a'), tool('b-C_1', '{"type":"object"}')], []],
    ['nothing', [create(ToolSchema)], ['tools[0]']],
    ['a bad name', [tool('a b')], ['tools[0].function.name']],
    ['a long name', [tool('a'.repeat(65))], ['tools[0].function.name']],
    ['a name twice', [tool('a'), tool('a')], ['tools[1].function.name']],
    ['parameters that are no object', [tool('a', '[1]')], ['tools[0].function.parameters_json']],
  ])('%s', (_, tools, expected) => {
    expect(fields(chat({ tools }))).toEqual(expected);
  });

  test('a choice of a tool that is not there, of a mode of the future, of a tool where there is none', () => {
    expect(fields(chat({ tools: [tool('a')], toolChoice: { toolNames: ['a', 'b'] } }))).toEqual([
      'tool_choice.tool_names[1]',
    ]);
    expect(fields(chat({ tools: [tool('a')], toolChoice: { mode: ofTheFuture(9) } }))).toEqual(['tool_choice.mode']);
    expect(fields(chat({ toolChoice: { mode: 3 } }))).toEqual(['tool_choice.mode']);
  });
});

describe('routing, labels and ids', () => {
  type Routing = MessageInitShape<typeof RoutingOptionsSchema>;

  test.each<[Routing, string[]]>([
    [{ targets: ['a', 'b/c'] }, []],
    [{ targets: ['a', ''] }, ['routing.targets[1]']],
    [{ route: 'a'.repeat(257) }, ['routing.route']],
    [{ maxCostUsd: 0.01 }, []],
    [{ maxCostUsd: 0 }, ['routing.max_cost_usd']],
    [{ maxCostUsd: Number.NaN }, ['routing.max_cost_usd']],
    [{ maxCostUsd: Number.POSITIVE_INFINITY }, ['routing.max_cost_usd']],
    [{ firstOutputTimeout: { nanos: 1 } }, []],
    [{ firstOutputTimeout: {} }, ['routing.first_output_timeout']],
    [{ firstOutputTimeout: { seconds: -1n } }, ['routing.first_output_timeout']],
  ])('%o', (routing, expected) => {
    expect(fields(chat({ routing }))).toEqual(expected);
  });

  test('labels have at most 16 entries, keys of 64 and values of 256 characters', () => {
    const labels = Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`key${index}`, 'a']));
    expect(fields(chat({ labels }))).toEqual(['labels']);
    expect(fields(chat({ labels: { ['k'.repeat(65)]: 'a' } }))).toEqual([`labels["${'k'.repeat(64)}"]`]);
    expect(fields(chat({ labels: { a: 'v'.repeat(257) } }))).toEqual(['labels["a"]']);
    expect(fields(chat({ labels: { ['k'.repeat(64)]: 'v'.repeat(256) } }))).toEqual([]);
  });

  test('a request id is printable ASCII of at most 128 characters', () => {
    expect(fields(chat({ requestId: 'a'.repeat(128) }))).toEqual([]);
    expect(fields(chat({ requestId: 'a'.repeat(129) }))).toEqual(['request_id']);
    expect(fields(chat({ requestId: 'a\nb' }))).toEqual(['request_id']);
    expect(fields(chat({ requestId: 'ä' }))).toEqual(['request_id']);
  });

  test('a recovery of the future is refused', () => {
    const messages = [asked];
    expect(fields(create(StreamChatRequestSchema, { messages, recovery: 2 }))).toEqual([]);
    expect(fields(create(StreamChatRequestSchema, { messages, recovery: ofTheFuture(3) }))).toEqual(['recovery']);
  });
});

test('all fields are named at once, in order, 20 at most', () => {
  const spoiled = chat({ messages: [say(USER, '')], options: { temperature: 3, topP: 2 }, labels: { '': '' } });
  expect(fields(spoiled)).toEqual([
    'messages[0].content[0].text',
    'options.temperature',
    'options.top_p',
    'labels[""]',
  ]);
  expect(fields(chat({ messages: Array.from({ length: 30 }, () => say(USER, '')) }))).toHaveLength(20);
});

test('no description repeats what the caller wrote', () => {
  const secret = 'sk-secret';
  const spoiled = chat({
    options: { stop: [secret], providerOptions: {}, temperature: 9 },
    messages: [say(ofTheFuture(99), secret)],
  });
  expect(JSON.stringify(validateChat(spoiled))).not.toContain(secret);
});

test('Generate needs a prompt; ListModels a page size that is not negative', () => {
  expect(validateGenerate(create(GenerateRequestSchema, { prompt: 'a' }))).toEqual([]);
  expect(
    validateGenerate(create(GenerateRequestSchema, { options: { temperature: 9 } })).map(({ field }) => field),
  ).toEqual(['prompt', 'options.temperature']);
  expect(validateListModels(create(ListModelsRequestSchema, { pageSize: -1 })).map(({ field }) => field)).toEqual([
    'page_size',
  ]);
});
