import { describe, expect, it } from 'vitest';
import { azureOpenAi } from '../../../../src/providers/azure-openai.ts';
import { openai } from '../../../../src/providers/openai.ts';
import { answer } from '../../../support/chat-samples.ts';

const CHAT_USAGE = {
  prompt_tokens: 100,
  completion_tokens: 20,
  total_tokens: 120,
  prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 30 },
};

const RESPONSES_USAGE = {
  input_tokens: 100,
  output_tokens: 20,
  input_tokens_details: {
    cached_tokens: 10,
    cache_write_tokens: 80,
    cache_write_tokens_details: { ttl_30m_tokens: 50, ttl_12h_tokens: 30 },
  },
};

function streamed(adapter: ReturnType<typeof openai>, ...events: readonly object[]) {
  const read = adapter.events();
  return answer(events.flatMap((event) => read({ name: '', data: JSON.stringify(event) }))).usage;
}

describe.each([
  ['OpenAI', openai],
  ['Azure OpenAI', azureOpenAi],
])('usage of %s', (_, adapterOf) => {
  it('of Chat Completions has the service tier that was served, whole and streamed', () => {
    const adapter = adapterOf('chat_completions');
    const choice = { index: 0, message: { content: 'Hi' }, finish_reason: 'stop' };
    const whole = answer(adapter.response({ choices: [choice], usage: CHAT_USAGE, service_tier: 'flex' })).usage;
    expect(whole).toEqual({
      inputTokens: 100,
      cachedInputTokens: 60,
      cacheWriteTokens: 30,
      outputTokens: 20,
      totalTokens: 120,
      serviceTier: 'flex',
    });
    const first = { choices: [{ index: 0, delta: { content: 'Hi' } }], service_tier: 'priority' };
    expect(streamed(adapter, first, { choices: [], usage: CHAT_USAGE })?.serviceTier).toBe('priority');
    const last = { choices: [], usage: CHAT_USAGE, service_tier: 'default' };
    expect(streamed(adapter, first, last)?.serviceTier).toBe('default');
  });

  it('of the Responses API has the service tier that was served, and the cache writes that live long', () => {
    const adapter = adapterOf('responses');
    const response = { status: 'completed', output: [], usage: RESPONSES_USAGE, service_tier: 'priority' };
    const expected = {
      inputTokens: 100,
      cachedInputTokens: 10,
      cacheWriteTokens: 80,
      cacheWriteLongTokens: 30,
      outputTokens: 20,
      serviceTier: 'priority',
    };
    expect(answer(adapter.response(response)).usage).toEqual(expected);
    const created = { type: 'response.created', response: { id: 'r', service_tier: 'auto' } };
    expect(streamed(adapter, created, { type: 'response.completed', response })).toEqual(expected);
  });

  it('without counts is none, whatever the tier', () => {
    const choice = { index: 0, message: { content: 'Hi' }, finish_reason: 'stop' };
    expect(answer(adapterOf('chat_completions').response({ choices: [choice], service_tier: 'flex' })).usage).toBe(
      undefined,
    );
  });

  it('adds reasoning that stands beside the output, where the total proves it', () => {
    const chat = (reasoning: object, total?: number) => {
      const usage = { prompt_tokens: 100, completion_tokens: 20, total_tokens: total, ...reasoning };
      const choice = { index: 0, message: { content: 'Hi' }, finish_reason: 'stop' };
      const whole = answer(adapterOf('chat_completions').response({ choices: [choice], usage })).usage;
      expect(streamed(adapterOf('chat_completions'), { choices: [], usage })).toEqual(whole);
      return whole;
    };
    const thirty = { completion_tokens_details: { reasoning_tokens: 30 } };
    expect(chat(thirty, 150)).toEqual({ inputTokens: 100, outputTokens: 50, reasoningTokens: 30, totalTokens: 150 });
    expect(chat({ reasoning_tokens: 30 }, 150)).toMatchObject({ outputTokens: 50, reasoningTokens: 30 });
    const ten = { completion_tokens_details: { reasoning_tokens: 10 } };
    expect(chat(ten, 120)).toEqual({ inputTokens: 100, outputTokens: 20, reasoningTokens: 10, totalTokens: 120 });
    expect(chat(ten)).toEqual({ inputTokens: 100, outputTokens: 20, reasoningTokens: 10 });
    const responses = (total: number) => {
      const usage = { input_tokens: 100, output_tokens: 20, total_tokens: total };
      const details = { output_tokens_details: { reasoning_tokens: 30 } };
      const response = { status: 'completed', output: [], usage: { ...usage, ...details } };
      return answer(adapterOf('responses').response(response)).usage;
    };
    expect(responses(150)).toMatchObject({ outputTokens: 50, reasoningTokens: 30, totalTokens: 150 });
  });

  it.each([
    ['a total that is neither with nor without reasoning', { total_tokens: 131, reasoning_tokens: 5 }],
    ['a total that is less than its parts', { total_tokens: 119 }],
    ['a total that counts cached input once more', { total_tokens: 180, cached_tokens: 60 }],
    ['reasoning that is more than the output it is a part of', { total_tokens: 120, reasoning_tokens: 21 }],
    ['a text for a count', { prompt_tokens_details: { cached_tokens: '7' } }],
    ['a count below zero', { prompt_tokens_details: { cached_tokens: -7 } }],
    ['a fraction', { prompt_cache_hit_tokens: 7.5 }],
    ['more than any call has', { completion_tokens_details: { reasoning_tokens: 2 ** 53 } }],
  ])('leaves what was counted as it is, and takes it for doubtful, with %s', (_, odd) => {
    const usage = { prompt_tokens: 100, completion_tokens: 20, ...odd };
    expect(streamed(adapterOf('chat_completions'), { choices: [], usage })).toMatchObject({
      inputTokens: 100,
      outputTokens: 20,
      isDoubtful: true,
    });
  });

  it('takes a total of 0 beside real counts for none', () => {
    const usage = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 0 };
    expect(streamed(adapterOf('chat_completions'), { choices: [], usage })).toEqual({
      inputTokens: 100,
      outputTokens: 20,
    });
  });

  it('passes over counts that no call can have', () => {
    const choice = { index: 0, message: { content: 'Hi' }, finish_reason: 'stop' };
    const odd = { prompt_tokens: 2 ** 31, completion_tokens: -1, total_tokens: 1.5 };
    expect(answer(adapterOf('chat_completions').response({ choices: [choice], usage: odd })).usage).toBe(undefined);
  });
});
