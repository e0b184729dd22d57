import { describe, expect, it } from 'vitest';
import { costOf } from '../../../src/pricing/cost.ts';
import { createPriceTable } from '../../../src/pricing/price-table.ts';
import { adapterFor } from '../../../src/providers/registry.ts';
import { answer } from '../../support/chat-samples.ts';

const PRICE = { model: 'm', input: '1', cachedInput: '0.1', cacheWrite: '1.25', output: '10' };
const table = createPriceTable({ overrides: [{ target: 't', prices: [PRICE] }] });

/** Returns the bill of a usage that comes in one or several chunks of Chat Completions. */
function billOf(...told: readonly object[]) {
  const read = adapterFor('openai', 'chat_completions').events();
  const chunks = [
    { choices: [{ index: 0, delta: { content: 'Hi' }, finish_reason: 'stop' }] },
    ...told.map((usage) => ({ choices: [], usage })),
  ];
  return priced(answer(chunks.flatMap((chunk) => read(eventOf(chunk)))).usage);
}

function eventOf(chunk: object) {
  return { name: '', data: JSON.stringify(chunk) };
}

function wholeBillOf(usage: object) {
  const choice = { index: 0, message: { content: 'Hi' }, finish_reason: 'stop' };
  return priced(answer(adapterFor('openai', 'chat_completions').response({ choices: [choice], usage })).usage);
}

function priced(usage: ReturnType<typeof answer>['usage']) {
  const attempt = { provider: 'openai', target: 't', ownHost: false, model: 'm', usage, wallMs: 0 };
  const { nanoUsd, source } = costOf(table, attempt);
  return [nanoUsd, source];
}

// A token costs 1,000 nano-USD of input, 100 cached, 1,250 written, 10,000 of output. Each comment is the arithmetic by hand.
describe('the bill of a usage as a server tells it', () => {
  it.each([
    // 100 x 1,000 + (20 + 30) x 10,000
    [
      'xAI, reasoning beside',
      {
        prompt_tokens: 100,
        completion_tokens: 20,
        total_tokens: 150,
        completion_tokens_details: { reasoning_tokens: 30 },
      },
      600_000n,
      'EXACT',
    ],
    // 100 x 1,000 + (20 + 30) x 10,000: there is nowhere else for the reasoning to be, but no proof
    [
      'reasoning beside, without a total',
      { prompt_tokens: 100, completion_tokens: 20, completion_tokens_details: { reasoning_tokens: 30 } },
      600_000n,
      'ESTIMATED',
    ],
    // 100 x 1,000 + 520 x 10,000: what the total has more
    [
      'Gemini, thoughts in the total alone',
      { prompt_tokens: 100, completion_tokens: 20, total_tokens: 620 },
      5_300_000n,
      'ESTIMATED',
    ],
    // 40 x 1,000 + 60 x 100 + 20 x 10,000
    [
      'DeepSeek, hit and missed',
      { prompt_tokens: 100, completion_tokens: 20, prompt_cache_hit_tokens: 60, prompt_cache_miss_tokens: 40 },
      246_000n,
      'EXACT',
    ],
    [
      'hit and missed alone',
      { completion_tokens: 20, prompt_cache_hit_tokens: 60, prompt_cache_miss_tokens: 40 },
      246_000n,
      'EXACT',
    ],
    [
      'hit and missed that are not the input',
      { prompt_tokens: 100, completion_tokens: 20, prompt_cache_hit_tokens: 60, prompt_cache_miss_tokens: 70 },
      246_000n,
      'ESTIMATED',
    ],
    ['Kimi, cached beside', { prompt_tokens: 100, completion_tokens: 20, cached_tokens: 60 }, 246_000n, 'EXACT'],
    ['cached by number', { prompt_tokens: 100, completion_tokens: 20, num_cached_tokens: 60 }, 246_000n, 'EXACT'],
    [
      'details under another name',
      { prompt_tokens: 100, completion_tokens: 20, prompt_token_details: { cached_tokens: 60 } },
      246_000n,
      'EXACT',
    ],
    // 40 x 1,000 + 60 x 100 + (20 + 30) x 10,000
    [
      'the names of Responses',
      {
        input_tokens: 100,
        output_tokens: 20,
        total_tokens: 150,
        input_tokens_details: { cached_tokens: 60 },
        output_tokens_details: { reasoning_tokens: 30 },
      },
      546_000n,
      'EXACT',
    ],
    [
      'two counts of one thing',
      {
        prompt_tokens: 100,
        completion_tokens: 20,
        cached_tokens: 10,
        prompt_tokens_details: { cached_tokens: 60 },
      },
      246_000n,
      'ESTIMATED',
    ],
    [
      'a 0 before a count of the same thing',
      {
        prompt_tokens: 100,
        completion_tokens: 20,
        cached_tokens: 60,
        prompt_tokens_details: { cached_tokens: 0 },
      },
      246_000n,
      'ESTIMATED',
    ],
    // 100 x 1,000 + 20 x 10,000
    [
      'names that are not used, with a 0 each',
      {
        prompt_tokens: 100,
        completion_tokens: 20,
        input_tokens: 0,
        output_tokens: 0,
        prompt_cache_hit_tokens: 0,
        prompt_cache_miss_tokens: 0,
      },
      300_000n,
      'EXACT',
    ],
    // 20 x 1,000 + 80 x 1,250 + 20 x 10,000
    [
      'Qwen, written to the cache',
      {
        prompt_tokens: 100,
        completion_tokens: 20,
        prompt_tokens_details: {
          cached_tokens: 0,
          cache_creation_input_tokens: 80,
          cache_creation: { ephemeral_5m_input_tokens: 80 },
        },
      },
      320_000n,
      'EXACT',
    ],
    [
      'LiteLLM, written to the cache',
      {
        prompt_tokens: 100,
        completion_tokens: 20,
        total_tokens: 120,
        cache_creation_input_tokens: 80,
        cache_read_input_tokens: 0,
        prompt_tokens_details: { cached_tokens: 0, cache_creation_tokens: 80 },
      },
      320_000n,
      'EXACT',
    ],
    // 50 x 1,000 + 50 x 1,250 + 20 x 10,000: the price of long writes is not known
    [
      'writes by their lifetimes alone',
      {
        prompt_tokens: 100,
        completion_tokens: 20,
        prompt_tokens_details: { cache_write_tokens_details: { ttl_30m_tokens: 20, ttl_12h_tokens: 30 } },
      },
      312_500n,
      'ESTIMATED',
    ],
    [
      'writes that are not the sum of their lifetimes',
      {
        prompt_tokens: 100,
        completion_tokens: 20,
        prompt_tokens_details: { cache_write_tokens: 80, cache_write_tokens_details: { ttl_30m_tokens: 20 } },
      },
      320_000n,
      'ESTIMATED',
    ],
  ] as const)('of %s, whole and streamed', (_, usage, nanoUsd, source) => {
    expect(billOf(usage)).toEqual([nanoUsd, source]);
    expect(wholeBillOf(usage)).toEqual([nanoUsd, source]);
  });

  it('goes by the last count of a cumulative usage', () => {
    const first = { prompt_tokens: 100, completion_tokens: 1, total_tokens: 101 };
    expect(billOf(first, { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 })).toEqual([
      300_000n,
      'EXACT',
    ]);
    // 40 x 1,000 + 60 x 100 + 20 x 10,000
    const cached = { ...first, prompt_tokens_details: { cached_tokens: 60 } };
    expect(billOf(cached, { completion_tokens: 20 })).toEqual([246_000n, 'EXACT']);
  });

  it('keeps what was counted before zeros, and calls nothing exact where counts become smaller', () => {
    const counted = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 };
    const zeros = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
    expect(billOf(counted, zeros)).toEqual([300_000n, 'ESTIMATED']);
    expect(billOf(zeros, counted)).toEqual([300_000n, 'EXACT']);
    expect(billOf(counted, { prompt_tokens: 90, completion_tokens: 20 })).toEqual([290_000n, 'ESTIMATED']);
  });

  it('is found where an empty usage stands before it', () => {
    const usage = { prompt_tokens: 100, completion_tokens: 20 };
    const read = adapterFor('groq', 'chat_completions').events();
    const choice = { index: 0, delta: { content: 'Hi' }, finish_reason: 'stop' };
    const told = (more: object) =>
      priced(answer(adapterFor('groq', 'chat_completions').events()(eventOf({ choices: [choice], ...more }))).usage);
    expect(told({ usage: {}, x_groq: { usage } })).toEqual([300_000n, 'EXACT']);
    expect(told({ usage: {}, choices: [{ ...choice, usage }] })).toEqual([300_000n, 'EXACT']);
    expect(priced(answer(read(eventOf({ choices: [choice], usage: {} }))).usage)).toEqual([undefined, 'UNKNOWN']);
  });

  it('is not exact where the service tier is no word', () => {
    const read = (service_tier: unknown) => {
      const usage = { prompt_tokens: 100, completion_tokens: 20 };
      const choices = [{ index: 0, message: { content: 'Hi' }, finish_reason: 'stop' }];
      return priced(answer(adapterFor('openai', 'chat_completions').response({ choices, usage, service_tier })).usage);
    };
    expect(read({ name: 'priority' })).toEqual([300_000n, 'ESTIMATED']);
    expect(read('no word')).toEqual([300_000n, 'ESTIMATED']);
    expect(read('')).toEqual([300_000n, 'EXACT']);
    expect(read(null)).toEqual([300_000n, 'EXACT']);
  });
});
