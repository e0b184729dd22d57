import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { ProviderName } from '../../../src/core/provider.ts';
import { PROVIDERS } from '../../../src/core/provider.ts';
import type { ModelList } from '../../../src/providers/port/adapter.ts';
import { adapterFor } from '../../../src/providers/registry.ts';

function listOf(provider: ProviderName): ModelList {
  const { modelList } = adapterFor(provider, 'chat_completions');
  if (modelList === undefined) throw new Error(`${provider} has no list`);
  return modelList;
}

describe('a list in the form of OpenAI', () => {
  it('names what can hold a conversation in text, where it is OpenAI’s own', () => {
    const entry = (id: string, owner: string) => ({ id, object: 'model', created: 1, owned_by: owner });
    const own = ['gpt-6.1-sol', 'gpt-4o-audio-preview', 'text-embedding-3-large', 'gpt-image-2', 'gpt-7', 'whisper-1'];
    const data = own.map((id) => entry(id, 'system')).concat(entry('ft:gpt-4.1:acme::1', 'acme'));
    expect(
      listOf('openai')
        .read({ data }, true)
        .map(({ id }) => id),
    ).toEqual(['gpt-6.1-sol', 'gpt-7', 'ft:gpt-4.1:acme::1']);
  });

  it('names everything where it is that of another server', () => {
    const data = [{ id: 'Qwen/Qwen3-8B', owned_by: 'vllm' }, { id: 'bge-embedding' }];
    expect(listOf('openai').read({ data }, false)).toEqual([{ id: 'Qwen/Qwen3-8B' }, { id: 'bge-embedding' }]);
    expect(listOf('deepseek').read({ data: [{ id: 'deepseek-flash', owned_by: 'deepseek' }] }, true)).toEqual([
      { id: 'deepseek-flash' },
    ]);
  });

  it('leaves nothing out where another server says of all its models that they are OpenAI’s', () => {
    const data = ['house-chat', 'text-embedding-3-large', 'gpt-4o'].map((id) => ({ id, owned_by: 'openai' }));
    const ids = (ownHost: boolean) =>
      listOf('openai')
        .read({ data }, ownHost)
        .map(({ id }) => id);
    expect(ids(false)).toEqual(['house-chat', 'text-embedding-3-large', 'gpt-4o']);
    expect(ids(true)).toEqual(['gpt-4o']);
  });

  it.each([
    ['vLLM', { max_model_len: 40_960 }, { contextWindow: 40_960 }],
    ['llama.cpp', { meta: { n_ctx: 4_096, n_ctx_train: 131_072 } }, { contextWindow: 4_096 }],
    ['llama.cpp, older', { meta: { n_ctx_train: 131_072 } }, {}],
    ['LM Studio', { loaded_context_length: 8_192, max_context_length: 131_072 }, { contextWindow: 8_192 }],
    ['Together', { context_length: 32_768 }, { contextWindow: 32_768 }],
    [
      'OpenRouter',
      { context_length: 262_144, top_provider: { context_length: 131_072, max_completion_tokens: 16_384 } },
      { contextWindow: 131_072, maxOutputTokens: 16_384 },
    ],
    [
      'Groq',
      { context_window: 131_072, max_completion_tokens: 65_536 },
      { contextWindow: 131_072, maxOutputTokens: 65_536 },
    ],
    ['a server that does not know', { max_model_len: 0, context_length: null, context_window: '8k', meta: [] }, {}],
  ])('says how much a model takes in the words of %s', (_, words, limits) => {
    const data = [{ id: 'm', object: 'model', owned_by: 'x', ...words }];
    expect(listOf('openai').read({ data }, false)).toStrictEqual([{ id: 'm', ...limits }]);
  });
});

describe('the list of Anthropic', () => {
  const supported = (is: boolean) => ({ supported: is });
  const model = (id: string, more: object = {}) => ({ id, type: 'model', lifecycle: 'active', ...more });

  it('says how much a model takes and what it can do', () => {
    const capabilities = {
      image_input: supported(true),
      pdf_input: supported(false),
      structured_outputs: supported(true),
      thinking: { supported: true, types: { adaptive: supported(true) } },
    };
    const data = [model('claude-next', { max_input_tokens: 2_000_000, max_tokens: 256_000, capabilities })];
    const [next] = listOf('anthropic').read({ data }, true);
    expect(next).toMatchObject({ id: 'claude-next', contextWindow: 2_000_000, maxOutputTokens: 256_000 });
    expect([...(next?.capabilities ?? [])].toSorted()).toEqual(
      ['cache_breakpoints', 'image_input', 'json_schema', 'parallel_tools', 'reasoning', 'tools'].toSorted(),
    );
  });

  it('leaves unknown what it does not say, and out what is retired', () => {
    const data = [
      model('quiet', { max_input_tokens: null, max_tokens: null, capabilities: null }),
      model('old', { lifecycle: 'retired' }),
    ];
    expect(listOf('anthropic').read({ data }, true)).toEqual([{ id: 'quiet' }]);
  });
});

describe('the list of Ollama', () => {
  it('names what is installed, and asks for each', () => {
    const { read, details } = listOf('ollama');
    expect(read({ models: [{ name: 'llama3.2:latest', size: 1 }] }, true)).toEqual([{ id: 'llama3.2:latest' }]);
    expect(details?.body('llava')).toEqual({ model: 'llava' });
    const shown = {
      capabilities: ['completion', 'vision', 'tools', 'thinking'],
      model_info: { 'general.architecture': 'llama', 'llama.context_length': 8_192 },
    };
    const llava = details?.read('llava', shown);
    expect(llava).toMatchObject({ id: 'llava', contextWindow: 8_192 });
    expect([...(llava?.capabilities ?? [])].toSorted()).toEqual(
      ['image_input', 'json_object', 'json_schema', 'reasoning', 'sampling', 'tools'].toSorted(),
    );
    expect(details?.read('embed', { capabilities: ['embedding'] })).toBeUndefined();
    expect(details?.read('older', {})).toEqual({ id: 'older' });
  });
});

it('the list of Mistral says how much a model takes, and which of them hold no conversation', () => {
  const data = [
    { id: 'mistral-large-latest', capabilities: { completion_chat: true }, max_context_length: 262_144 },
    { id: 'mistral-embed', capabilities: { completion_chat: false }, max_context_length: 8_192 },
    { id: 'of-another-server' },
  ];
  expect(listOf('mistral').read({ data }, true)).toEqual([
    { id: 'mistral-large-latest', contextWindow: 262_144 },
    { id: 'of-another-server' },
  ]);
});

it('Azure lists no deployments, and the mock is made up', () => {
  for (const provider of ['azure-openai', 'mock'] as const) {
    expect(adapterFor(provider, 'chat_completions').modelList).toBeUndefined();
  }
});

it('nothing that a server sends breaks the reading of a list', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...PROVIDERS.filter((name) => adapterFor(name, 'chat_completions').modelList !== undefined)),
      fc.jsonValue(),
      (provider, json) => {
        const { read, details } = listOf(provider);
        for (const shaped of [json, { data: json, models: json }, { data: [json], models: [json] }]) {
          expect(Array.isArray(read(shaped, true))).toBe(true);
          details?.read('x', shaped);
        }
      },
    ),
    { numRuns: 300 },
  );
});
