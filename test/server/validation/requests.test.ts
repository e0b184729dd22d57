import { create, fromBinary, fromJson, toBinary } from '@bufbuild/protobuf';
import type { JsonObject, JsonValue, MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import {
  type GenerationOptionsSchema,
  type Part,
  PartSchema,
  Role,
  type Tool,
  ToolSchema,
} from '../../../gen/understudy/v1/chat_pb.ts';
import {
  ChatRequestSchema,
  GenerateRequestSchema,
  ListModelsRequestSchema,
  StreamChatRequestSchema,
} from '../../../gen/understudy/v1/llm_pb.ts';
import type { RoutingOptionsSchema } from '../../../gen/understudy/v1/routing_pb.ts';
import { validateChat, validateGenerate, validateListModels } from '../../../src/server/validation/requests.ts';
import { chat, ofTheFuture, say, text, toolCall, toolResult } from '../support/requests.ts';

const { SYSTEM, USER, ASSISTANT, TOOL } = Role;

function fields(request: Parameters<typeof validateChat>[0]): string[] {
  return validateChat(request).map((violation) => violation.field);
}

function part(value: MessageInitShape<typeof PartSchema>['part']): Part {
  return create(PartSchema, value === undefined ? {} : { part: value });
}

/** Bytes that begin with a mark, in Latin-1. */
function bytes(size: number, mark: string): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(size);
  data.set(Buffer.from(mark, 'latin1').subarray(0, size));
  return data;
}

const PNG = '\u0089PNG\r\n\u001a\n';
const image = (data: number, mediaType = 'image/png', mark = PNG): Part =>
  part({ case: 'image', value: { source: { case: 'data', value: bytes(data, mark) }, mediaType } });
const imageUrl = (url: string): Part => part({ case: 'image', value: { source: { case: 'url', value: url } } });
const file = (data: number, mediaType: string, filename = ''): Part =>
  part({ case: 'file', value: { data: bytes(data, '%PDF-1.7'), mediaType, filename } });
const call = (id: string, argumentsJson: string): Part =>
  part({ case: 'toolCall', value: { id, name: 'look', argumentsJson } });
const marked = (value: string): Part => create(PartSchema, { part: { case: 'text', value }, cacheBreakpoint: true });
const MIB = 1024 * 1024;
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
    ['a tool result with an image', [asked, called, say(TOOL, toolResult('a', image(8)))]],
    [
      'reasoning of the assistant',
      [asked, say(ASSISTANT, part({ case: 'reasoning', value: { text: '' } }), 'hi'), asked],
    ],
    ['an image of exactly 10 MiB', [say(USER, image(10 * MIB))]],
    ['an image by its URL', [say(USER, imageUrl('https://example.com/a.png'))]],
    [
      'a GIF, a JPEG and a WebP',
      [
        say(
          USER,
          image(9, 'image/gif', 'GIF89a'),
          image(9, 'image/jpeg', '\u00ff\u00d8\u00ff'),
          image(16, 'image/webp', 'RIFF\u0001\u0002\u0003\u0004WEBP'),
        ),
      ],
    ],
    ['a file', [say(USER, file(5, 'application/pdf', 'a b.pdf'))]],
    ['a text file', [say(USER, file(1, 'text/csv'))]],
    ['files of 16 MiB together', [say(USER, file(8 * MIB, 'application/pdf'), file(8 * MIB, 'application/pdf'))]],
    ['a hundred images', [say(USER, ...Array.from({ length: 100 }, () => imageUrl('https://example.com/a.png')))]],
    [
      'parallel calls, answered in another order by two messages',
      [
        asked,
        say(ASSISTANT, 'hm', toolCall('a'), toolCall('b')),
        say(TOOL, toolResult('b')),
        say(TOOL, toolResult('a')),
        asked,
      ],
    ],
    [
      'calls turn after turn',
      [asked, called, say(TOOL, toolResult('a')), say(ASSISTANT, toolCall('b')), say(TOOL, toolResult('b'))],
    ],
    ['a call with no arguments at all', [asked, say(ASSISTANT, call('a', '')), say(TOOL, toolResult('a'))]],
    ['four cache breakpoints', [say(SYSTEM, marked('a'), marked('b')), say(USER, marked('c'), marked('d'))]],
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
    [
      'a tool result of the user',
      [asked, called, say(USER, toolResult('a'))],
      ['messages[1].content[0].tool_call', 'messages[2].content[0].tool_result'],
    ],
    ['text of a tool', [asked, called, say(TOOL, 'x', toolResult('a'))], ['messages[2].content[0].text']],
    [
      'a tool result without a call',
      [asked, called, say(TOOL, toolResult('b'), toolResult('a'))],
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
    [
      'a second call of an id',
      [asked, called, say(TOOL, toolResult('a')), called, asked],
      ['messages[3].content[0].tool_call.id'],
    ],
    [
      'a call without id and name',
      [asked, say(ASSISTANT, toolCall('', '')), asked],
      ['messages[1].content[0].tool_call.id', 'messages[1].content[0].tool_call.name'],
    ],
    [
      'a call with a long id',
      [asked, say(ASSISTANT, toolCall('a'.repeat(257))), asked],
      ['messages[1].content[0].tool_call.id'],
    ],
    [
      'a call of no tool’s name',
      [asked, say(ASSISTANT, toolCall('a', 'a.b')), say(TOOL, toolResult('a'))],
      ['messages[1].content[0].tool_call.name'],
    ],
    [
      'arguments that are no object',
      [asked, say(ASSISTANT, call('a', '[1]')), say(TOOL, toolResult('a'))],
      ['messages[1].content[0].tool_call.arguments_json'],
    ],
    [
      'arguments that are cut off',
      [asked, say(ASSISTANT, call('a', '{"a":')), say(TOOL, toolResult('a'))],
      ['messages[1].content[0].tool_call.arguments_json'],
    ],
    ['a call without a result', [asked, called, asked], ['messages[1].content[0].tool_call']],
    ['a call at the end', [asked, called], ['messages[1].content[0].tool_call', 'messages[1].role']],
    [
      'one of two calls without a result',
      [asked, say(ASSISTANT, toolCall('a'), toolCall('b')), say(TOOL, toolResult('b')), say(ASSISTANT, 'hm'), asked],
      ['messages[1].content[0].tool_call'],
    ],
    [
      'a result of an earlier turn',
      [
        asked,
        called,
        say(TOOL, toolResult('a')),
        say(ASSISTANT, toolCall('b')),
        say(TOOL, toolResult('a'), toolResult('b')),
      ],
      ['messages[4].content[0].tool_result.tool_call_id'],
    ],
    [
      'a result after the user has spoken',
      [asked, called, asked, say(TOOL, toolResult('a'))],
      ['messages[1].content[0].tool_call', 'messages[3].content[0].tool_result.tool_call_id'],
    ],
    [
      'five cache breakpoints',
      [say(SYSTEM, marked('a'), marked('b')), say(USER, marked('c'), marked('d'), marked('e'), marked('f'))],
      ['messages[1].content[2].cache_breakpoint'],
    ],
    ['an image that is another', [say(USER, image(9, 'image/png', 'GIF89a'))], ['messages[0].content[0].image.data']],
    ['an image that is too short to be one', [say(USER, image(3))], ['messages[0].content[0].image.data']],
    [
      'a PDF that is none',
      [say(USER, part({ case: 'file', value: { data: bytes(9, 'hello'), mediaType: 'application/pdf' } }))],
      ['messages[0].content[0].file.data'],
    ],
    ['a file over 16 MiB', [say(USER, file(16 * MIB + 1, 'text/csv'))], ['messages[0].content[0].file.data']],
    [
      'files over 16 MiB together',
      [say(USER, file(8 * MIB, 'text/csv'), file(8 * MIB + 1, 'text/csv'), file(8 * MIB, 'text/csv'))],
      ['messages[0].content[1].file'],
    ],
    [
      'a hundred and two images',
      [say(USER, ...Array.from({ length: 102 }, () => imageUrl('https://example.com/a.png')))],
      ['messages[0].content[100].image'],
    ],
    [
      'a file with a path for a name',
      [say(USER, file(1, 'text/csv', '../a'))],
      ['messages[0].content[0].file.filename'],
    ],
    [
      'a file with a long name',
      [say(USER, file(1, 'text/csv', 'a'.repeat(256)))],
      ['messages[0].content[0].file.filename'],
    ],
    [
      'a URL with a password',
      [say(USER, imageUrl('https://user:secret@example.com/a'))],
      ['messages[0].content[0].image.url'],
    ],
    ['a data URL', [say(USER, imageUrl('data:image/png;base64,AA=='))], ['messages[0].content[0].image.url']],
    [
      'a broken image in a result',
      [asked, called, say(TOOL, toolResult('a', image(9, 'image/png', 'GIF89a')))],
      ['messages[2].content[0].tool_result.content[0].image.data'],
    ],
    ['an image over 10 MiB', [say(USER, image(10 * MIB + 1))], ['messages[0].content[0].image.data']],
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
    [schema('a', '{"type":"strng"}'), ['options.response_format.json_schema.schema_json']],
    [schema('a', '{"$ref":"https://example.com/a.json"}'), ['options.response_format.json_schema.schema_json']],
    [schema('a', `{"title":"${'a'.repeat(65_536)}"}`), ['options.response_format.json_schema.schema_json']],
    [{ providerOptions: { openai: {} } }, []],
    [{ providerOptions: { gemini: {} } }, ['options.provider_options["gemini"]']],
  ])('%j', (options, expected) => {
    expect(fields(chat({ options }))).toEqual(expected);
  });
});

describe('numbers in options of a provider', () => {
  const { MAX_SAFE_INTEGER: most } = Number;
  const openai = (own: JsonObject): string[] => fields(chat({ options: { providerOptions: { openai: own } } }));

  test.each<[string, JsonObject, string[]]>([
    ['the largest that are exact', { seed: most, low: -most, zero: 0, part: 0.1, tiny: 1e-300 }, []],
    ['a larger one as text', { seed: '9007199254740993' }, []],
    ['2^53', { seed: most + 1 }, ['["seed"]']],
    ['-2^53', { seed: -most - 1 }, ['["seed"]']],
    ['an id of 19 digits', { metadata: { ids: [1, 2 ** 61] } }, ['["metadata"]["ids"][1]']],
    ['one in each of two places', { a: 1e16, b: [[1e17]] }, ['["a"]', '["b"][0][0]']],
    ['what JSON does not have', { a: Number.NaN, b: -Infinity }, ['["a"]', '["b"]']],
  ])('%s', (_, own, expected) => {
    expect(openai(own)).toEqual(expected.map((place) => `options.provider_options["openai"]${place}`));
  });

  test('are looked at over binary and JSON alike, where they have lost their digits', () => {
    const json = JSON.parse(
      '{"messages":[],"options":{"provider_options":{"openai":{"n":9007199254740993}}}}',
    ) as JsonValue;
    const read = fromJson(ChatRequestSchema, json);
    const again = fromBinary(ChatRequestSchema, toBinary(ChatRequestSchema, read));
    for (const request of [read, again]) {
      expect(fields(request)).toContain('options.provider_options["openai"]["n"]');
    }
  });

  test('do not lead a check astray that is nested too deeply', () => {
    let deep: JsonObject = {};
    for (let depth = 0; depth < 1_000; depth++) deep = { a: deep };
    expect(openai(deep)).toHaveLength(1);
  });
});

describe('options of a provider that ask for several answers, of which one would be read', () => {
  const violations = (own: JsonObject) => validateChat(chat({ options: { providerOptions: { mistral: own } } }));

  test.each<[string, JsonObject]>([
    ['n', { n: 2 }],
    ['n', { n: 1.5 }],
    ['n', { n: 1e15 }],
    ['n', { n: '8' }],
    // As servers written in Python read numbers.
    ['n', { n: ' 1_0 ' }],
    ['best_of', { n: 1, best_of: 3 }],
    ['n_cmpl', { n_cmpl: 2 }],
  ])('are refused: %s of %j', (name, own) => {
    const description = 'must be at most 1: the gateway gives one answer for a call, so make as many calls';
    expect(violations(own)).toEqual([{ field: `options.provider_options["mistral"]["${name}"]`, description }]);
  });

  test.each<JsonObject>([
    { n: 1 },
    { n: 0 },
    { n: -1 },
    { n: '1' },
    { n: 'many' },
    { n: null },
    { n: true },
    { n: [8] },
    { metadata: { n: 8 } },
  ])('pass where they ask for one, or for nothing that is a number: %j', (own) => {
    expect(violations(own)).toEqual([]);
  });

  test('are refused of every provider, and by Generate as by Chat', () => {
    const options = { providerOptions: { openai: { n: 3 }, groq: { n: 3 } } };
    const expected = ['options.provider_options["openai"]["n"]', 'options.provider_options["groq"]["n"]'];
    expect(fields(chat({ options }))).toEqual(expected);
    const generate = create(GenerateRequestSchema, { prompt: 'Hi', options });
    expect(validateGenerate(generate).map(({ field }) => field)).toEqual(expected);
  });
});

test('a seed is exact as text in JSON', () => {
  const request = fromJson(ChatRequestSchema, { options: { seed: '9007199254740993' } });
  expect(request.options?.seed).toBe(9_007_199_254_740_993n);
});

describe('names of models', () => {
  test.each([
    'gpt-6.1-sol',
    'claude-haiku-4-5@20251001',
    'meta-llama/Llama-3.3-70B-Instruct',
    'accounts/fireworks/models/qwen3-235b-a22b',
    'hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M',
    'anthropic/claude-sonnet-5.5:thinking',
    'openrouter/auto~latest',
    'deepseek-r1:7b-qwen-distill-q4_K_M',
    'us.anthropic.claude-sonnet-4-20250514-v1:0',
    'arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-pro-v1:0',
    'projects/p/locations/l/publishers/google/models/gemini-3-pro',
    '@cf/meta/llama-3.1-8b-instruct-fp8',
    'ft:gpt-4.1-mini-2025-04-14:acme:suffix:AbC123',
    'model+lora=a,b(1)[2]',
    '通义千问-max',
    'C:\\models\\tiny.gguf',
  ])('%s is one', (model) => {
    expect(fields(chat({ model, routing: { targets: [`main/${model}`] } }))).toEqual([]);
  });

  test.each([
    'gpt 4',
    ' gpt-4',
    'gpt-4\n',
    'gpt\t4',
    'gpt\u00004',
    'gpt\u00a04',
    'gpt\u200b4',
    'gpt\u202e4',
    'gpt\ud8004',
  ])('%j is none', (model) => {
    expect(fields(chat({ model }))).toEqual(['model']);
    expect(fields(chat({ routing: { targets: ['main', `main/${model}`] } }))).toEqual(['routing.targets[1]']);
    const generate = create(GenerateRequestSchema, { prompt: 'hello', model });
    expect(validateGenerate(generate).map(({ field }) => field)).toEqual(['model']);
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
    ['parameters that are no JSON', [tool('a', '{')], ['tools[0].function.parameters_json']],
    ['the schema of a list', [tool('a', '{"type":"array"}')], ['tools[0].function.parameters_json']],
    ['a long schema', [tool('a', `{"title":"${'a'.repeat(65_536)}"}`)], ['tools[0].function.parameters_json']],
    ['a deep schema', [tool('a', `${'{"not":'.repeat(65)}1${'}'.repeat(65)}`)], ['tools[0].function.parameters_json']],
    ['brackets in a text', [tool('a', JSON.stringify({ title: '\\"[{'.repeat(100) }))], []],
    ['128 tools', Array.from({ length: 128 }, (_, index) => tool(`a${index}`)), []],
    ['129 tools', Array.from({ length: 129 }, (_, index) => tool(`a${index}`)), ['tools']],
    [
      'a long description',
      [create(ToolSchema, { kind: { case: 'function', value: { name: 'a', description: 'd'.repeat(32_769) } } })],
      ['tools[0].function.description'],
    ],
  ])('%s', (_, tools, expected) => {
    expect(fields(chat({ tools }))).toEqual(expected);
  });

  test('a choice of a tool that is not there, of a mode of the future, of a tool where there is none', () => {
    expect(fields(chat({ tools: [tool('a')], toolChoice: { toolNames: ['a', 'b'] } }))).toEqual([
      'tool_choice.tool_names[1]',
    ]);
    expect(fields(chat({ tools: [tool('a')], toolChoice: { mode: ofTheFuture(9) } }))).toEqual(['tool_choice.mode']);
    expect(fields(chat({ toolChoice: { mode: 3 } }))).toEqual(['tool_choice.mode']);
    expect(fields(chat({ tools: [tool('a')], toolChoice: { toolNames: ['a', 'a'] } }))).toEqual([
      'tool_choice.tool_names[1]',
    ]);
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
