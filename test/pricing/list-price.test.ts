import { describe, expect, test } from 'vitest';

import type { TokenUsage } from '../../src/core/ports.ts';
import { costOf, isAtListPrice, listNanoUsdOf, type PricedAttempt } from '../../src/pricing/cost.ts';
import { createPriceTable } from '../../src/pricing/price-table.ts';

const table = createPriceTable({
  overrides: [{ target: 'discounted', prices: [{ model: 'gpt-4.1', input: '1', output: '4' }] }],
});

const USAGE: TokenUsage = { inputTokens: 1_000, outputTokens: 100 };

/** A Sunday, when no hour is dearer. */
function attempt(more: Partial<PricedAttempt> = {}): PricedAttempt {
  const wallMs = Date.UTC(2026, 10, 22, 2, 0);
  return { provider: 'openai', target: 'openai', ownHost: true, model: 'gpt-4.1', usage: USAGE, wallMs, ...more };
}

/** 1,000 tokens at 2 USD a million and 100 at 8. */
const LIST = 2_800_000n;

describe('the list price', () => {
  test('is what the tokens cost where nothing else is agreed', () => {
    expect(listNanoUsdOf(table, attempt())).toBe(LIST);
    expect(costOf(table, attempt()).nanoUsd).toBe(LIST);
    expect(isAtListPrice(table, attempt())).toBe(true);
  });

  test('knows nothing of a price that the configuration sets', () => {
    const discounted = attempt({ target: 'discounted' });
    expect(costOf(table, discounted).nanoUsd).toBe(1_400_000n);
    expect(listNanoUsdOf(table, discounted)).toBe(LIST);
    expect(isAtListPrice(table, discounted)).toBe(false);
  });

  test.each([['priority'], ['flex'], ['batch']])('is that of the usual tier where %s was served', (serviceTier) => {
    const served = attempt({ usage: { ...USAGE, serviceTier } });
    expect(listNanoUsdOf(table, served)).toBe(LIST);
    expect(isAtListPrice(table, served)).toBe(false);
  });

  test('is the same with a word for the usual tier', () => {
    expect(isAtListPrice(table, attempt({ usage: { ...USAGE, serviceTier: 'default' } }))).toBe(true);
  });

  test('is absent where the table does not know the model, or another server answers', () => {
    expect(listNanoUsdOf(table, attempt({ model: 'unheard-of' }))).toBeUndefined();
    expect(isAtListPrice(table, attempt({ model: 'unheard-of' }))).toBe(false);
    expect(listNanoUsdOf(table, attempt({ ownHost: false }))).toBeUndefined();
  });

  test('is absent where the tokens are not known, and 0 where nothing was sent or the model is free', () => {
    expect(listNanoUsdOf(table, attempt({ usage: undefined }))).toBeUndefined();
    expect(listNanoUsdOf(table, attempt({ usage: undefined, neverSent: true }))).toBe(0n);
    expect(listNanoUsdOf(table, attempt({ provider: 'ollama', model: 'llama3.2' }))).toBe(0n);
  });

  test('is the cost to the nano-dollar wherever the attempt was at the list price', () => {
    for (let inputTokens = 1; inputTokens < 2_000; inputTokens += 37) {
      for (const cachedInputTokens of [0, Math.floor(inputTokens / 3)]) {
        const one = attempt({ usage: { inputTokens, cachedInputTokens, outputTokens: inputTokens % 11 } });
        expect(listNanoUsdOf(table, one)).toBe(costOf(table, one).nanoUsd);
      }
    }
  });
});
