import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TokenUsage } from '../../src/core/ports.ts';
import { costOf } from '../../src/pricing/cost.ts';
import { createPriceTable } from '../../src/pricing/price-table.ts';
import bundled from '../../src/pricing/prices.json' with { type: 'json' };

const table = createPriceTable();
const SUNDAY = Date.UTC(2026, 10, 22, 12, 0);
const named = bundled.models.filter(({ model }) => model !== '*').map(({ provider, model }) => ({ provider, model }));

function nanoUsd(provider: string, model: string, usage: TokenUsage, wallMs = SUNDAY): bigint {
  return costOf(table, { provider, target: provider, ownHost: true, model, usage, wallMs }).nanoUsd ?? -1n;
}

/** Counts as any provider might report them, sense or not. */
const anyCount = fc.oneof(fc.nat(1_000_000), fc.constantFrom(-1, 0.5, Number.NaN, Infinity, -Infinity, 2 ** 53, 1e300));
const anyUsage = fc.record(
  {
    inputTokens: anyCount,
    cachedInputTokens: anyCount,
    cacheWriteTokens: anyCount,
    cacheWriteLongTokens: anyCount,
    outputTokens: anyCount,
    serviceTier: fc.constantFrom('default', 'flex', 'priority', 'fast', 'toString', ''),
  },
  { requiredKeys: [] },
);
const model = fc.constantFrom(...named);
const split = fc
  .tuple(fc.nat(60_000), fc.nat(60_000), fc.nat(60_000), fc.nat(60_000), fc.nat(60_000))
  .map(([fresh, cached, written, long, output]) => ({
    inputTokens: fresh + cached + written + long,
    cachedInputTokens: cached,
    cacheWriteTokens: written + long,
    cacheWriteLongTokens: long,
    outputTokens: output,
  }));

describe('a cost', () => {
  it('is never negative, never too large for the contract, and absent exactly where it is unknown', () => {
    fc.assert(
      fc.property(model, anyUsage, fc.nat(4_102_444_800_000), ({ provider, model: id }, usage, wallMs) => {
        const cost = costOf(table, { provider, target: 't', ownHost: true, model: id, usage, wallMs });
        expect(cost.nanoUsd === undefined).toBe(cost.source === 'UNKNOWN');
        expect(cost.nanoUsd ?? 0n).toBeGreaterThanOrEqual(0n);
        expect(cost.nanoUsd ?? 0n).toBeLessThan(2n ** 63n);
      }),
    );
  });

  it('never falls with more tokens of any kind, across the tiers too', () => {
    const more = fc.constantFrom('fresh', 'cached', 'written', 'long', 'output');
    fc.assert(
      fc.property(model, split, more, fc.nat(300_000), ({ provider, model: id }, usage, kind, count) => {
        const isInput = kind !== 'output';
        const isWritten = kind === 'written' || kind === 'long';
        const larger = {
          inputTokens: usage.inputTokens + (isInput ? count : 0),
          cachedInputTokens: usage.cachedInputTokens + (kind === 'cached' ? count : 0),
          cacheWriteTokens: usage.cacheWriteTokens + (isWritten ? count : 0),
          cacheWriteLongTokens: usage.cacheWriteLongTokens + (kind === 'long' ? count : 0),
          outputTokens: usage.outputTokens + (isInput ? 0 : count),
        };
        expect(nanoUsd(provider, id, larger)).toBeGreaterThanOrEqual(nanoUsd(provider, id, usage));
      }),
    );
  });

  it('adds up over calls where no tier is crossed, but for rounding', () => {
    const flat = fc.constantFrom(
      ...named.filter(({ provider, model: id }) => table.lookup(provider, id)?.tiers.length === 0),
    );
    fc.assert(
      fc.property(flat, split, split, ({ provider, model: id }, a, b) => {
        const both = {
          inputTokens: a.inputTokens + b.inputTokens,
          cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
          cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
          cacheWriteLongTokens: a.cacheWriteLongTokens + b.cacheWriteLongTokens,
          outputTokens: a.outputTokens + b.outputTokens,
        };
        const difference = nanoUsd(provider, id, both) - nanoUsd(provider, id, a) - nanoUsd(provider, id, b);
        expect(difference).toBeGreaterThanOrEqual(-1n);
        expect(difference).toBeLessThanOrEqual(1n);
      }),
    );
  });

  it('is twice as high in busy hours at DeepSeek', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.nat(1_000_000), (inputTokens, outputTokens) => {
        const usage = { inputTokens, outputTokens };
        const busy = nanoUsd('deepseek', 'deepseek-v4-pro', usage, Date.UTC(2026, 10, 23, 7, 0));
        expect(busy).toBe(2n * nanoUsd('deepseek', 'deepseek-v4-pro', usage));
      }),
    );
  });

  it.each([
    ['a fraction', { inputTokens: 10.4, outputTokens: 0 }, 20_000n],
    ['a negative count', { inputTokens: -5, outputTokens: 1 }, 10_000n],
    ['a cached count that is no number', { inputTokens: 10, cachedInputTokens: Number.NaN, outputTokens: 0 }, 20_000n],
  ])('is an estimate with %s', (_, usage, expected) => {
    const attempt = {
      provider: 'openai',
      target: 'openai',
      ownHost: true,
      model: 'gpt-6.1-sol',
      usage,
      wallMs: SUNDAY,
    };
    expect(costOf(table, attempt)).toMatchObject({ nanoUsd: expected, source: 'ESTIMATED' });
  });

  it('is an estimate with more long writes than writes, and charges no more than the writes', () => {
    const usage = { inputTokens: 10, cacheWriteTokens: 5, cacheWriteLongTokens: 9, outputTokens: 0 };
    const attempt = {
      provider: 'anthropic',
      target: 'anthropic',
      ownHost: true,
      model: 'claude-opus-5',
      usage,
      wallMs: SUNDAY,
    };
    // 5 x 5,000 + 5 x 10,000
    expect(costOf(table, attempt)).toMatchObject({ nanoUsd: 75_000n, source: 'ESTIMATED' });
  });

  it('counts long writes that are reported without their whole', () => {
    const usage = { inputTokens: 10, cacheWriteLongTokens: 10, outputTokens: 0 };
    expect(nanoUsd('anthropic', 'claude-opus-5', usage)).toBe(100_000n);
  });

  it('carries the version of the table', () => {
    expect(table.version).toBe(bundled.version);
    const attempt = { provider: 'openai', target: 'openai', ownHost: true, model: '?', wallMs: SUNDAY };
    expect(costOf(table, attempt).priceTableVersion).toBe(bundled.version);
  });
});
