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

  it('passes over counts that no call can have', () => {
    const choice = { index: 0, message: { content: 'Hi' }, finish_reason: 'stop' };
    const odd = { prompt_tokens: 2 ** 31, completion_tokens: -1, total_tokens: 1.5 };
    expect(answer(adapterOf('chat_completions').response({ choices: [choice], usage: odd })).usage).toBe(undefined);
  });
});
