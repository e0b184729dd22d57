import { describe, expect, it } from 'vitest';
import { costOf } from '../../src/pricing/cost.ts';
import { PriceFallback } from '../../src/pricing/price-fallback.ts';
import { createPriceTable } from '../../src/pricing/price-table.ts';

const table = createPriceTable();
const attempt = {
  provider: 'openai',
  target: 'openai',
  ownHost: true,
  model: 'gpt-9',
  usage: { inputTokens: 100, cachedInputTokens: 40, cacheWriteTokens: 20, cacheWriteLongTokens: 5, outputTokens: 10 },
  wallMs: 0,
};

/** A library in the shape of genai-prices that knows some ids and, like it, matches by prefix. */
function libraryOf(ids: readonly string[], usd: unknown = 0.000_123_456) {
  const asked: unknown[] = [];
  let loads = 0;
  const load = () => {
    loads += 1;
    return Promise.resolve({
      calcPrice: (usage: unknown, model: string, options: unknown) => {
        asked.push({ usage, model, options });
        const id = ids.find((known) => model.startsWith(known));
        return id === undefined ? null : { total_price: usd, model: { id } };
      },
    });
  };
  return { load, asked, loads: () => loads };
}

describe('the price fallback', () => {
  it('is unknown until the library is there, and an estimate from then on', async () => {
    const library = libraryOf(['gpt-9']);
    const fallback = new PriceFallback(library.load);
    expect(costOf(table, attempt, fallback)).toStrictEqual({ source: 'UNKNOWN', priceTableVersion: table.version });
    expect(costOf(table, attempt, fallback).source).toBe('UNKNOWN');
    await fallback.ready();
    expect(costOf(table, attempt, fallback)).toStrictEqual({
      nanoUsd: 123_456n,
      source: 'ESTIMATED',
      priceTableVersion: table.version,
    });
    expect(library.loads()).toBe(1);
  });

  it('says the input as a whole and its parts', async () => {
    const library = libraryOf(['gpt-9']);
    const fallback = new PriceFallback(library.load);
    await fallback.ready();
    costOf(table, { ...attempt, provider: 'azure-openai', reportedModel: 'gpt-9' }, fallback);
    expect(library.asked).toEqual([
      {
        usage: {
          input_tokens: 100,
          cache_read_tokens: 40,
          cache_write_tokens: 20,
          cache_write_1h_tokens: 5,
          output_tokens: 10,
        },
        model: 'gpt-9',
        options: { providerId: 'azure' },
      },
    ]);
  });

  it('is not loaded for what the table knows, what is free, and what has no counts', () => {
    const library = libraryOf(['gpt']);
    const fallback = new PriceFallback(library.load);
    costOf(table, { ...attempt, model: 'gpt-4.1' }, fallback);
    costOf(table, { ...attempt, provider: 'ollama' }, fallback);
    costOf(table, { ...attempt, usage: undefined }, fallback);
    expect(library.loads()).toBe(0);
  });

  it('takes no price of a model with another id', async () => {
    const fallback = new PriceFallback(libraryOf(['claude-opus-9']).load);
    await fallback.ready();
    const costFor = (model: string) => costOf(table, { ...attempt, provider: 'anthropic', model }, fallback).source;
    expect(costFor('claude-opus-9')).toBe('ESTIMATED');
    expect(costFor('claude-opus-9-20261122')).toBe('ESTIMATED');
    expect(costFor('claude-opus-9-5')).toBe('UNKNOWN');
    expect(costFor('claude-opus-9-5-20261122')).toBe('UNKNOWN');
  });

  it.each([Number.NaN, -1, Infinity, '1', null, 9e9])('takes no price that is no amount: %s', async (usd) => {
    const fallback = new PriceFallback(libraryOf(['gpt-9'], usd).load);
    await fallback.ready();
    expect(costOf(table, attempt, fallback).source).toBe('UNKNOWN');
  });

  it.each([
    ['cannot be loaded', () => Promise.reject(new Error('missing'))],
    ['is something else', () => Promise.resolve({ price: () => 1 })],
    ['is nothing', () => Promise.resolve(undefined)],
    [
      'throws',
      () =>
        Promise.resolve({
          calcPrice: () => {
            throw new Error('Invalid usage data');
          },
        }),
    ],
  ])('leaves the cost unknown where the library %s', async (_, load) => {
    const fallback = new PriceFallback(load);
    await fallback.ready();
    expect(costOf(table, attempt, fallback)).toStrictEqual({ source: 'UNKNOWN', priceTableVersion: table.version });
  });
});
