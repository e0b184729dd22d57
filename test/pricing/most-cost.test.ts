import { describe, expect, test } from 'vitest';

import { AnswerLengths } from '../../src/pricing/answer-lengths.ts';
import { mostCost } from '../../src/pricing/most-cost.ts';
import { createPriceTable } from '../../src/pricing/price-table.ts';

const FILE = {
  version: 'v',
  schedules: {},
  models: [
    {
      provider: 'openai',
      model: 'm',
      source: 'https://example.org',
      date: '2026-11-22',
      prices: { input: '1', cached_input: '0.1', cache_write: '2', output: '10' },
      service_tiers: { priority: '2', flex: '0.5' },
      tiers: [
        {
          above_input_tokens: 1_000,
          prices: { input: '3', cached_input: '0.3', cache_write: '4', output: '20' },
        },
      ],
    },
  ],
};
const TABLE = createPriceTable({ file: FILE });
const ASKED = { provider: 'openai', target: 't', ownHost: true, model: 'm' };

function most(changes: Partial<Parameters<typeof mostCost>[2]> = {}) {
  return mostCost(TABLE, ASKED, { prompt: 400, answer: 100, isBounded: true, serviceTiers: [], ...changes });
}

describe('the most that an attempt may cost', () => {
  test('is a prompt a quarter longer than estimated, written to the cache, and the longest answer', () => {
    // 500 tokens at 2 USD and 100 at 10 USD for a million.
    expect(most()).toEqual({ most: 2_000_000n, least: 2_000_000n });
  });

  test('has the prices of a longer prompt where the estimate may be that much too low', () => {
    expect(most({ prompt: 801 })?.most).toBe(1_002n * 4_000n + 100n * 20_000n);
  });

  test('has the price of the service tier that is asked for, where that is dearer', () => {
    expect(most({ serviceTiers: ['priority'] })?.most).toBe(4_000_000n);
    expect(most({ serviceTiers: ['flex', 'unheard-of'] })?.most).toBe(2_000_000n);
  });

  test('is a guess where nobody bounds the answer: the least is the prompt alone', () => {
    expect(most({ isBounded: false })).toEqual({
      most: 2_000_000n,
      least: 400_000n,
      open: { tokens: 100, price: 10_000_000_000n },
    });
  });

  test('is unknown where the price is', () => {
    const tokens = { prompt: 1, answer: 1, isBounded: true, serviceTiers: [] };
    expect(mostCost(TABLE, { ...ASKED, model: 'other' }, tokens)).toBeUndefined();
  });
});

describe('the length of answers that nobody bounds', () => {
  test('is twice the longest of late, and what is unknown before the first at least', () => {
    const lengths = new AnswerLengths();
    expect(lengths.most('a', 1_024)).toBe(1_024);
    lengths.learn('a', 30);
    expect(lengths.most('a', 1_024)).toBe(1_024);
    lengths.learn('a', 5_000);
    expect(lengths.most('a', 1_024)).toBe(10_000);
    for (let answer = 0; answer < 100; answer++) lengths.learn('a', 30);
    expect(lengths.most('a', 10)).toBeLessThan(200);
    expect(lengths.most('a', 1_024)).toBe(1_024);
  });

  test('is remembered of a thousand models', () => {
    const lengths = new AnswerLengths();
    for (let model = 0; model <= 1_000; model++) lengths.learn(String(model), 10);
    expect(lengths.most('0', 7)).toBe(7);
    expect(lengths.most('1', 7)).toBe(20);
  });
});
