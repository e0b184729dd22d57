import { describe, expect, test } from 'vitest';

import { WarningCode } from '../../../gen/understudy/v1/routing_pb.ts';
import type { OpenAiApi, ProviderName } from '../../../src/core/provider.ts';
import { recordsOf } from '../../../src/providers/shared/json/value.ts';
import { validateChat } from '../../../src/server/validation/requests.ts';
import type { PartInit } from '../../support/chat-parts.ts';
import { assistant, cached, requestOf, text, user } from '../../support/chat-parts.ts';
import { wire } from '../../support/chat-samples.ts';
import { at } from '../../support/every-adapter.ts';
import { chat } from '../../server/support/requests.ts';

const DATED = 'https://example.openai.azure.com/openai?api-version=2024-10-21';
const LONG = `agent/${'7'.repeat(100)}`;

function asked(provider: ProviderName, api: OpenAiApi, key: string, { ownHost = true, baseUrl = '' } = {}) {
  const request = requestOf([user('Hi')], { options: { promptCacheKey: key } });
  const { adapter } = at(provider, api, baseUrl);
  return wire(adapter.request(request, { name: 'main', provider, model: 'm', stream: true, ownHost }));
}

describe('the key of the prompt’s cache', () => {
  test.each([
    ['openai', 'chat_completions'],
    ['openai', 'responses'],
    ['azure-openai', 'chat_completions'],
    ['azure-openai', 'responses'],
    ['mistral', 'chat_completions'],
  ] as const)('goes to %s over %s as prompt_cache_key', (provider, api) => {
    const { body, warnings } = asked(provider, api, 'conversation-7');
    expect(body['prompt_cache_key']).toBe('conversation-7');
    expect(warnings).toEqual([]);
    expect(asked(provider, api, '').body).not.toHaveProperty('prompt_cache_key');
  });

  test('that is longer than OpenAI takes is a hash of it, the same in every call', () => {
    const { body, warnings } = asked('openai', 'responses', LONG);
    expect(body['prompt_cache_key']).toMatch(/^[0-9a-z-]{5,64}$/);
    expect(asked('openai', 'chat_completions', LONG).body['prompt_cache_key']).toBe(body['prompt_cache_key']);
    expect(asked('openai', 'responses', `${LONG}8`).body['prompt_cache_key']).not.toBe(body['prompt_cache_key']);
    expect(asked('openai', 'responses', LONG.slice(0, 64)).body['prompt_cache_key']).toBe(LONG.slice(0, 64));
    expect(warnings).toEqual([]);
  });

  test('goes to other servers that speak as OpenAI does where they have its models', () => {
    const request = requestOf([user('Hi')], { options: { promptCacheKey: 'k' } });
    const target = { name: 'main', provider: 'openai', model: 'gpt-6-sol', stream: true, ownHost: false } as const;
    for (const api of ['chat_completions', 'responses'] as const)
      expect(wire(at('openai', api).adapter.request(request, target)).body['prompt_cache_key']).toBe('k');
  });

  test.each([
    ['openai', { ownHost: false }],
    ['azure-openai', { baseUrl: DATED }],
    ['deepseek', {}],
    ['groq', {}],
    ['ollama', {}],
  ] as const)('is left out with a warning where the server may not take it: %s %j', (provider, where) => {
    const { body, warnings } = asked(provider, 'chat_completions', 'conversation-7', where);
    expect(JSON.stringify(body)).not.toContain('conversation-7');
    expect(warnings).toMatchObject([{ code: WarningCode.PARAMETER_DROPPED, field: 'options.prompt_cache_key' }]);
  });
});

describe('the key of the prompt’s cache at Anthropic, which caches only what is marked', () => {
  const { adapter } = at('anthropic', 'chat_completions');
  const mark = { cache_control: { type: 'ephemeral' } };

  function blocks(marks: number, ...last: readonly (PartInit | string)[]) {
    const marked = Array.from({ length: marks }, (_, index) => cached(text(`Rule ${index}`)));
    const request = requestOf([user(...marked, 'Hi'), assistant('Yes?'), user(...last)], {
      options: { promptCacheKey: 'conversation-7' },
    });
    const { body, warnings } = wire(
      adapter.request(request, { name: 'main', provider: 'anthropic', model: 'claude-haiku-5-5', stream: true }),
    );
    expect(warnings).toEqual([]);
    return recordsOf(body['messages']).flatMap(({ content }) => recordsOf(content));
  }

  test('marks the end of the prompt, beside what is marked already', () => {
    expect(blocks(1, 'One', 'Two', ' ').filter((block) => 'cache_control' in block)).toEqual([
      { type: 'text', text: 'Rule 0', ...mark },
      { type: 'text', text: 'Two', ...mark },
    ]);
  });

  test('takes no mark from the caller’s own', () => {
    expect(blocks(4, 'One').filter((block) => 'cache_control' in block)).toHaveLength(4);
    expect(blocks(4, 'One').at(-1)).toEqual({ type: 'text', text: 'One' });
    expect(blocks(0, cached(text('One'))).at(-1)).toEqual({ type: 'text', text: 'One', ...mark });
  });
});

test('keys of caches and of conversations have at most 256 characters', () => {
  const wrong = (length: number) =>
    validateChat(
      chat({ options: { promptCacheKey: 'k'.repeat(length) }, routing: { affinityKey: 'k'.repeat(length) } }),
    ).map(({ field }) => field);
  expect(wrong(256)).toEqual([]);
  expect(wrong(257)).toEqual(['options.prompt_cache_key', 'routing.affinity_key']);
});
