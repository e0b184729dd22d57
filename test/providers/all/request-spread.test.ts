import { isDeepStrictEqual } from 'node:util';

import { clearField, clone, isFieldSet, toJson } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { GenerationOptions } from '../../../gen/understudy/v1/chat_pb.ts';
import { GenerationOptionsSchema, ReasoningEffort, ToolChoiceMode } from '../../../gen/understudy/v1/chat_pb.ts';
import type { ChatRequest } from '../../../gen/understudy/v1/llm_pb.ts';
import { ChatRequestSchema } from '../../../gen/understudy/v1/llm_pb.ts';
import { dialectOf, readCall } from '../../../src/mock/answer/asked-request.ts';
import { unknownField } from '../../../src/mock/answer/body-fields.ts';
import type { AdapterTarget, WireRequest } from '../../../src/providers/port/adapter.ts';
import type { JsonRecord } from '../../../src/providers/shared/json/value.ts';
import { asRecord } from '../../../src/providers/shared/json/value.ts';
import { validateChat } from '../../../src/server/validation/requests.ts';
import { chatRequests } from '../../support/chat-arbitraries.ts';
import { lostOf } from '../../support/lost-parts.ts';
import type { Correction } from '../../support/provider-specs.ts';
import type { ProviderApi } from '../../support/every-adapter.ts';
import { EVERY_ADAPTER } from '../../support/every-adapter.ts';
import { bodyCheck, hasSpecs, wrongWith } from '../../support/provider-specs.ts';
import { tellingModels } from '../../support/telling-models.ts';

const SEED = 20_261_128;
/** The version that the head of requests names. */
const ANTHROPIC_VERSION = '2026-10-21';
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

/** A document with its schema of a request, and what it lacks. */
interface Document {
  readonly file: string;
  readonly schema: string;
  readonly corrections: readonly Correction[];
}

const OPENAI = 'openai-openapi.yaml';
const RESPONSES: Document = { file: OPENAI, schema: 'CreateResponse', corrections: [AMBIGUOUS_ITEM] };
const COMPLETIONS: Document = { file: OPENAI, schema: 'CreateChatCompletionRequest', corrections: [] };

/** The documents that there are, by provider and path. */
const DOCUMENTS: ReadonlyMap<string, Document> = new Map([
  ['openai /responses', RESPONSES],
  ['openai /chat/completions', COMPLETIONS],
  ['azure-openai /responses', RESPONSES],
  ['azure-openai /chat/completions', COMPLETIONS],
  [
    'anthropic /v1/messages',
    { file: 'anthropic-openapi-tryagi.yaml', schema: 'CreateMessageParams', corrections: NEWER_CLAUDE },
  ],
  ['deepseek /chat/completions', { ...COMPLETIONS, corrections: DEEPSEEK_FIELDS }],
  ['ollama /api/chat', { file: 'ollama-openapi.yaml', schema: 'ChatRequest', corrections: OLLAMA_FIELDS }],
]);

const OPTIONS = GenerationOptionsSchema.fields;

const MOCK_TABLES = 'What the mock knows: src/mock/answer/chat-apis.ts, of other APIs src/mock/answer/body-fields.ts.';
const OPTION_TABLES =
  'What becomes of options: the table in the file of the provider, or of the API (docs/adding-a-provider.md).';

interface Translated {
  readonly chat: ChatRequest;
  readonly target: AdapterTarget;
  readonly wire: WireRequest;
  /** The body as it goes over the wire. */
  readonly body: JsonRecord;
}

/** Translates the spread of requests, those that the adapter refuses left out, and counts them. */
function spread({ provider, adapter }: ProviderApi): { readonly done: Translated[]; readonly refused: number } {
  const models = tellingModels(provider);
  const done: Translated[] = [];
  let refused = 0;
  for (const [index, chat] of REQUEST_SPREAD.entries()) {
    if (done.length === REQUESTS) break;
    const target = { name: 'lead', provider, model: models[index % models.length] ?? '', stream: index % 2 === 0 };
    const wire = adapter.request(chat, target);
    if ('class' in wire) refused += 1;
    else done.push({ chat, target, wire, body: asRecord(JSON.parse(JSON.stringify(wire.body))) ?? {} });
  }
  return { done, refused };
}

const REQUEST_SPREAD = fc.sample(chatRequests, { seed: SEED, numRuns: DRAWN });

test('every request of the spread is one that callers may send', () => {
  for (const chat of REQUEST_SPREAD) expect(validateChat(chat), describeChat(chat)).toEqual([]);
});

test('every option of the contract is in the spread', () => {
  for (const { localName } of OPTIONS) {
    const drawn = REQUEST_SPREAD.filter(({ options }) => options !== undefined && localName in options);
    expect(drawn.length, `${localName} in test/support/chat-arbitraries.ts`).toBeGreaterThan(REQUESTS);
  }
});

describe.each(EVERY_ADAPTER)('what $provider is sent at $path', (subject) => {
  const { provider, path, adapter } = subject;
  const { done, refused } = spread(subject);

  test(`is translated from ${REQUESTS} requests, ${refused} others refused`, () => {
    expect(done).toHaveLength(REQUESTS);
  });

  const document = DOCUMENTS.get(`${provider} ${path}`);
  test.skipIf(document === undefined || !hasSpecs)(
    'is valid after the provider’s OpenAPI document (skipped without ../shared/fixtures/specs)',
    () => {
      const { file, schema, corrections } = document ?? COMPLETIONS;
      const check = bodyCheck(file, schema, corrections);
      const wrong = new Map<string, string>();
      for (const { chat, body } of done) {
        if (check(body)) continue;
        const error = wrongWith(check.errors);
        if (!wrong.has(error)) wrong.set(error, `${JSON.stringify(body)}\n${describeChat(chat)}`);
      }
      expect([...wrong]).toEqual([]);
    },
  );

  test('is taken by the mock, which knows the fields of each provider', () => {
    const dialect = dialectOf(path) ?? 'chat';
    for (const { chat, body } of done) {
      const told = `${MOCK_TABLES}\n${JSON.stringify(body)}\n${describeChat(chat)}`;
      expect(unknownField(body, provider, dialect, ANTHROPIC_VERSION), told).toBeUndefined();
      expect(readCall(body, provider, dialect), told).toBeDefined();
    }
  });

  test('loses nothing: what is not in the body is named by a warning', () => {
    for (const { chat, wire } of done) {
      expect(lostOf(chat, wire), `${OPTION_TABLES}\n${describeChat(chat)}\n${JSON.stringify(wire)}`).toEqual([]);
    }
  });

  test('differs with every option that asks for something, or says that it does not', () => {
    for (const { chat, target, wire } of done) {
      const lost = OPTIONS.filter((option) => {
        const { options } = chat;
        if (options === undefined || !isFieldSet(options, option) || saysNothing(option.localName, options, chat))
          return false;
        if (wire.warnings.some(({ field }) => field === `options.${option.name}`)) return false;
        const others = clone(GenerationOptionsSchema, options);
        clearField(others, option);
        return isDeepStrictEqual(adapter.request({ ...chat, options: others }, target), wire);
      });
      expect(
        lost.map(({ name }) => name),
        `${OPTION_TABLES}\n${describeChat(chat)}\n${JSON.stringify(wire)}`,
      ).toEqual([]);
    }
  });
});

/** Whether an option asks for what every provider does anyway, or may do. */
function saysNothing(name: string, options: GenerationOptions, { toolChoice, messages }: ChatRequest): boolean {
  switch (name) {
    // Where the end of the prompt is marked already.
    case 'promptCacheKey':
      return messages.at(-1)?.content.at(-1)?.cacheBreakpoint === true;
    case 'reasoningEffort':
      return (
        options.reasoningEffort === ReasoningEffort.UNSPECIFIED || options.reasoningEffort === ReasoningEffort.NONE
      );
    case 'responseFormat':
      return options.responseFormat?.format.case === 'text';
    case 'parallelToolCalls':
      return options.parallelToolCalls === true || toolChoice?.mode === ToolChoiceMode.NONE;
    default:
      return false;
  }
}

function describeChat(chat: ChatRequest): string {
  return JSON.stringify(toJson(ChatRequestSchema, chat));
}
