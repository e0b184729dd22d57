import { toJson } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { Message, Part } from '../../../gen/understudy/v1/chat_pb.ts';
import type { ChatRequest } from '../../../gen/understudy/v1/llm_pb.ts';
import { ChatRequestSchema } from '../../../gen/understudy/v1/llm_pb.ts';
import type { OpenAiApi, ProviderName } from '../../../src/core/provider.ts';
import type { WireRequest } from '../../../src/providers/port/adapter.ts';
import { adapterFor } from '../../../src/providers/registry.ts';
import { validateChat } from '../../../src/server/validation/requests.ts';
import { chatRequests } from '../../support/chat-arbitraries.ts';
import type { Correction } from '../../support/provider-specs.ts';
import { bodyCheck, hasSpecs, wrongWith } from '../../support/provider-specs.ts';

const SEED = 20_261_128;
/** So many requests are translated for each dialect… */
const REQUESTS = 600;
/** …out of so many: some dialects refuse every image, file or format. */
const DRAWN = 6_000;

/** A message with a list of contents and no `type` is both an "easy" message and an item. */
const AMBIGUOUS_ITEM: Correction = {
  at: ['InputItem'],
  change: ({ oneOf, ...rest }) => ({ ...rest, anyOf: oneOf }),
  reason: 'The document means any of the kinds of items; some of them overlap.',
};

/** Claude's document of August 2026 is older than two things that its models take. */
const NEWER_CLAUDE: readonly Correction[] = [
  {
    at: ['InputMessage', 'properties', 'role'],
    change: (role) => ({ ...role, enum: ['user', 'assistant', 'system'] }),
    reason: 'System messages between turns came with the Claude 5 models.',
  },
  {
    at: ['ThinkingConfigParam', 'oneOf'],
    change: (kinds) => [
      ...Object.values(kinds),
      { properties: { type: { const: 'between_tools' } }, required: ['type'] },
    ],
    reason: 'Thinking between tools alone came with Claude Sonnet 5.5.',
  },
];

/** DeepSeek publishes no document: it is OpenAI's with the fields of its own guides. */
const DEEPSEEK_FIELDS: readonly Correction[] = [
  {
    at: ['CreateChatCompletionRequest'],
    change: (request) => ({
      ...request,
      properties: {
        thinking: {
          type: 'object',
          properties: { type: { enum: ['enabled', 'disabled'] } },
          required: ['type'],
          additionalProperties: false,
        },
        user_id: { type: 'string', maxLength: 512 },
      },
    }),
    reason: 'The switch of the thinking mode, and the id of the end user.',
  },
];

const OLLAMA_FIELDS: readonly Correction[] = [
  {
    at: ['ChatRequest', 'properties', 'truncate'],
    change: () => ({ type: 'boolean' }),
    reason: 'The server reads it (api/types.go), the document leaves it out.',
  },
  {
    at: ['ChatRequest', 'properties', 'shift'],
    change: () => ({ type: 'boolean' }),
    reason: 'The same.',
  },
];

interface Dialect {
  readonly name: string;
  readonly provider: ProviderName;
  readonly api: OpenAiApi;
  readonly baseUrl?: string;
  readonly models: readonly string[];
  /** The document and its schema of a request. */
  readonly spec: readonly [file: string, schema: string];
  readonly corrections: readonly Correction[];
}

const OPENAI = 'openai-openapi.yaml';
const OPENAI_MODELS = ['gpt-6.1-sol', 'gpt-5.1', 'gpt-4o', 'o4-mini'];

const DIALECTS: readonly Dialect[] = [
  {
    name: 'OpenAI Responses',
    provider: 'openai',
    api: 'responses',
    models: OPENAI_MODELS,
    spec: [OPENAI, 'CreateResponse'],
    corrections: [AMBIGUOUS_ITEM],
  },
  {
    name: 'OpenAI Chat Completions',
    provider: 'openai',
    api: 'chat_completions',
    models: [...OPENAI_MODELS, 'llama-4'],
    spec: [OPENAI, 'CreateChatCompletionRequest'],
    corrections: [],
  },
  {
    name: 'Azure Responses',
    provider: 'azure-openai',
    api: 'responses',
    baseUrl: 'https://r.openai.azure.com/openai/v1',
    models: ['my-deployment', 'gpt-5.1'],
    spec: [OPENAI, 'CreateResponse'],
    corrections: [AMBIGUOUS_ITEM],
  },
  {
    name: 'Azure Chat Completions',
    provider: 'azure-openai',
    api: 'chat_completions',
    baseUrl: 'https://r.openai.azure.com/openai/v1',
    models: ['my-deployment', 'gpt-4o'],
    spec: [OPENAI, 'CreateChatCompletionRequest'],
    corrections: [],
  },
  {
    name: 'Anthropic',
    provider: 'anthropic',
    api: 'chat_completions',
    models: ['claude-sonnet-5-5', 'claude-haiku-5-5', 'claude-opus-4-6', 'claude-haiku-4-5'],
    spec: ['anthropic-openapi-tryagi.yaml', 'CreateMessageParams'],
    corrections: NEWER_CLAUDE,
  },
  {
    name: 'DeepSeek',
    provider: 'deepseek',
    api: 'chat_completions',
    models: ['deepseek-flash', 'deepseek-v4-pro', 'deepseek-chat'],
    spec: [OPENAI, 'CreateChatCompletionRequest'],
    corrections: DEEPSEEK_FIELDS,
  },
  {
    name: 'Ollama',
    provider: 'ollama',
    api: 'chat_completions',
    models: ['qwen3', 'gpt-oss:20b'],
    spec: ['ollama-openapi.yaml', 'ChatRequest'],
    corrections: OLLAMA_FIELDS,
  },
];

interface Translated {
  readonly chat: ChatRequest;
  readonly wire: WireRequest;
}

/** Translates the spread of requests, those that the adapter refuses left out, and counts them. */
function spread({ provider, api, baseUrl, models }: Dialect): {
  readonly done: Translated[];
  readonly refused: number;
} {
  const adapter = adapterFor(provider, api, baseUrl);
  const done: Translated[] = [];
  let refused = 0;
  for (const [index, chat] of REQUEST_SPREAD.entries()) {
    if (done.length === REQUESTS) break;
    const model = models[index % models.length] ?? '';
    const wire = adapter.request(chat, { name: 'lead', provider, model, stream: index % 2 === 0 });
    if ('class' in wire) refused += 1;
    else done.push({ chat, wire });
  }
  return { done, refused };
}

const REQUEST_SPREAD = fc.sample(chatRequests, { seed: SEED, numRuns: DRAWN });

test('every request of the spread is one that callers may send', () => {
  for (const chat of REQUEST_SPREAD) expect(validateChat(chat), describeChat(chat)).toEqual([]);
});

describe.each(DIALECTS)('what $name is sent', (dialect) => {
  const { done, refused } = spread(dialect);

  test(`is translated from ${REQUESTS} requests, ${refused} others refused`, () => {
    expect(done).toHaveLength(REQUESTS);
  });

  test.skipIf(!hasSpecs)(
    'is valid after the provider’s OpenAPI document (skipped without ../shared/fixtures/specs)',
    () => {
      const check = bodyCheck(...dialect.spec, dialect.corrections);
      const wrong = new Map<string, string>();
      for (const { chat, wire } of done) {
        // As it goes over the wire.
        const body: unknown = JSON.parse(JSON.stringify(wire.body));
        if (check(body)) continue;
        const error = wrongWith(check.errors);
        if (!wrong.has(error)) wrong.set(error, `${JSON.stringify(body)}\n${describeChat(chat)}`);
      }
      expect([...wrong]).toEqual([]);
    },
  );

  test('loses nothing: what is not in the body is named by a warning', () => {
    for (const { chat, wire } of done) {
      expect(missing(chat, wire), `${describeChat(chat)}\n${JSON.stringify(wire)}`).toEqual([]);
    }
  });
});

/** Lists what of a request is neither in the body nor named by a warning. */
function missing(chat: ChatRequest, wire: WireRequest): string[] {
  const body = JSON.stringify(wire.body);
  const has = (value: string): boolean => body.includes(JSON.stringify(value).slice(1, -1));
  const warned = (field: string): boolean => wire.warnings.some((warning) => warning.field.startsWith(field));
  const lost: string[] = [];
  const need = (field: string, isThere: boolean): void => {
    if (!isThere && !warned(field)) lost.push(field);
  };
  for (const [index, message] of chat.messages.entries()) {
    for (const [place, part] of partsOf(message, `messages[${index}].content`)) {
      needPart(part, place, { has, hasJson: (json) => body.includes(json), need });
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
  const asNumber = (name: string, value: number | bigint | undefined): void => {
    if (value !== undefined) need(`options.${name}`, numbersIn(body).has(Number(value)));
  };
  asNumber('temperature', options.temperature);
  asNumber('top_p', options.topP);
  asNumber('max_tokens', options.maxTokens);
  asNumber('seed', options.seed);
  asNumber('presence_penalty', options.presencePenalty);
  asNumber('frequency_penalty', options.frequencyPenalty);
  if (options.endUser !== undefined) need('options.end_user', has(options.endUser));
  for (const stop of options.stop) need('options.stop', has(stop) || wire.localStop.includes(stop));
  const format = options.responseFormat?.format.case;
  if (format === 'jsonSchema') need('options.response_format', body.includes('"a":{') || wire.localSchema === true);
  return lost;
}

/** How a body is searched. */
interface Search {
  /** Whether it has a text, within whatever string. */
  readonly has: (value: string) => boolean;
  /** Whether it has a JSON value as such. */
  readonly hasJson: (json: string) => boolean;
  readonly need: (field: string, isThere: boolean) => void;
}

function needPart({ part }: Part, place: string, { has, hasJson, need }: Search): void {
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
    need(`${place}.tool_call`, has(id) && has(name));
    need(`${place}.tool_call.arguments_json`, has(argumentsJson) || hasJson(argumentsJson));
  }
  if (part.case === 'toolResult') need(`${place}.tool_result`, has(part.value.toolCallId));
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

function describeChat(chat: ChatRequest): string {
  return JSON.stringify(toJson(ChatRequestSchema, chat));
}
