import { describe, expect, it } from 'vitest';
import { createPriceTable } from '../../src/pricing/price-table.ts';
import bundled from '../../src/pricing/prices.json' with { type: 'json' };

const table = createPriceTable();

/** A file with one model, some fields of which are set anew or, where undefined, left out. */
function fileWith(fields: Record<string, unknown>): unknown {
  const model = {
    provider: 'openai',
    model: 'm',
    source: 'a page',
    date: '2026-11-22',
    prices: { input: '1', output: '2' },
    ...fields,
  };
  return {
    version: '1',
    schedules: {},
    models: [Object.fromEntries(Object.entries(model).filter(([, v]) => v !== undefined))],
  };
}

describe('the price file', () => {
  it('says of every price where and when it was read', () => {
    expect(bundled.models.length).toBeGreaterThan(30);
    for (const model of bundled.models) {
      expect(model.source, model.model).toMatch(/\S{3}/);
      expect(model.date, model.model).toMatch(/^2026-\d\d-\d\d$/);
    }
  });

  it.each(['source', 'date', 'provider', 'model', 'prices'])('is refused where a model lacks its %s', (field) => {
    expect(() => createPriceTable({ file: fileWith({ [field]: undefined }) })).toThrow(RangeError);
    expect(() => createPriceTable({ file: fileWith({ [field]: undefined }) })).toThrow(`models[0].${field}`);
  });

  it.each([
    ['an unknown field', { cached: '1' }, 'models[0].cached'],
    ['an unknown price', { prices: { input: '1', output: '2', cached: '1' } }, 'models[0].prices.cached'],
    ['a number for a price', { prices: { input: 1, output: '2' } }, 'models[0].prices.input'],
    ['a malformed price', { prices: { input: '1e3', output: '2' } }, '"1e3"'],
    ['no price of output', { prices: { input: '1' } }, 'models[0].prices.output'],
    [
      'a doubt about a price that is not there',
      { prices: { input: '1', output: '2', unconfirmed: ['cache_write'] } },
      'unconfirmed',
    ],
    ['a day that does not exist', { date: '2026-02-29' }, '"2026-02-29"'],
    [
      'an unknown schedule',
      { peak: { schedule: 'x', prices: { input: '1', output: '2' } } },
      'models[0].peak.schedule',
    ],
    [
      'a fraction of a token',
      { tiers: [{ above_input_tokens: 0.5, prices: { input: '1', output: '2' } }] },
      'above_input_tokens',
    ],
    ['one id twice', { aliases: ['m'] }, 'openai/m'],
  ])('is refused with %s', (_, fields, message) => {
    expect(() => createPriceTable({ file: fileWith(fields) })).toThrow(message);
  });

  it.each([null, [], 'x', {}, { version: '1', schedules: {}, models: {} }])(
    'is refused where it is no price file: %j',
    (file) => {
      expect(() => createPriceTable({ file })).toThrow(RangeError);
    },
  );

  it('takes the highest tier that the input is above, whatever the order in the file', () => {
    const tier = (above: number, input: string) => ({ above_input_tokens: above, prices: { input, output: '1' } });
    const entry = createPriceTable({ file: fileWith({ tiers: [tier(200, '9'), tier(100, '5')] }) }).lookup(
      'openai',
      'm',
    );
    expect(entry?.tiers.map(({ aboveInputTokens }) => aboveInputTokens)).toEqual([100, 200]);
  });
});

describe('lookup', () => {
  const inputOf = (provider: string, model: string) => table.lookup(provider, model)?.published.input;

  it.each([
    ['openai', 'gpt-6.1-sol', '2'],
    ['openai', 'gpt-6.1-sol-2026-09-29', '2'],
    ['openai', 'gpt-5.6', '4'],
    ['openai', 'gpt-4.1-2025-04-14', '2'],
    ['openai', 'gpt-4o-2024-11-20', '2.50'],
    ['openai', 'gpt-4o-2024-05-13', '5'],
    ['azure-openai', 'gpt-4.1-2025-04-14', '2'],
    ['anthropic', 'claude-haiku-4-5-20251001', '1'],
    ['anthropic', 'claude-3-5-sonnet-20241022', '3'],
    ['deepseek', 'deepseek-v4-flash', '0.15'],
    ['ollama', 'anything', '0'],
    ['mock', 'mock-429-then-ok', '1'],
  ])('finds %s/%s', (provider, model, input) => {
    expect(inputOf(provider, model)).toBe(input);
  });

  it.each([
    ['openai', 'gpt-6.1'],
    ['openai', 'gpt-6.1-sol-mini'],
    ['openai', 'gpt-6.1-sol-2026-13-01'],
    ['openai', 'gpt-6.1-sol-2026-09'],
    ['openai', 'gpt-6.1-sol-20260929'],
    ['openai', 'GPT-6.1-SOL'],
    ['openai', '-2026-09-29'],
    ['openai', 'gpt-4o-mini-2024-07-18'],
    ['openai', 'claude-sonnet-5-5'],
    ['openai', '*'],
    ['openai', ''],
    ['anthropic', 'claude-sonnet-5-5-x'],
    ['anthropic', 'claude-haiku-4-5-2025-10-01'],
    ['deepseek', 'deepseek-v4-pro-2026-08-13'],
    ['cohere', 'gpt-4o'],
  ])('does not guess %s/%s', (provider, model) => {
    expect(table.lookup(provider, model)).toBeUndefined();
  });

  it('keeps claude-sonnet-5-5 and claude-sonnet-5 apart', () => {
    expect(table.lookup('anthropic', 'claude-sonnet-5-5')?.published.cachedInput).toBe('0.10');
    expect(table.lookup('anthropic', 'claude-sonnet-5')?.published.cachedInput).toBe('0.20');
  });
});

describe('long-context tiers of the file', () => {
  const above272 = bundled.models.filter(
    ({ provider, model }) => provider === 'openai' && /^gpt-(5\.[56]|6)/.test(model),
  );

  it.each(above272.map(({ model }) => model))(
    'double input and cache and make output half as dear again: %s',
    (model) => {
      const entry = table.lookup('openai', model);
      const [tier] = entry?.tiers ?? [];
      expect(tier?.aboveInputTokens).toBe(272_000);
      expect(tier?.prices.input.nano).toBe((entry?.prices.input.nano ?? 0n) * 2n);
      expect(tier?.prices.cachedInput.nano).toBe((entry?.prices.cachedInput.nano ?? 0n) * 2n);
      expect(tier?.prices.cacheWrite.nano).toBe((entry?.prices.cacheWrite.nano ?? 0n) * 2n);
      expect((tier?.prices.output.nano ?? 0n) * 2n).toBe((entry?.prices.output.nano ?? 0n) * 3n);
    },
  );
});

describe('overrides', () => {
  const prices = [{ model: 'house-model', input: '0.5', output: '1' }];
  const overridden = createPriceTable({ overrides: [{ target: 'vllm', prices }] });

  it('count for their target and model alone', () => {
    expect(overridden.override('vllm', 'house-model')?.prices.input.nano).toBe(500_000_000n);
    expect(overridden.override('vllm', 'other')).toBeUndefined();
    expect(overridden.override('openai', 'house-model')).toBeUndefined();
    expect(overridden.lookup('openai', 'house-model')).toBeUndefined();
  });

  it('are refused where a price is malformed', () => {
    const overrides = [{ target: 't', prices: [{ model: 'm', input: '-1', output: '1' }] }];
    expect(() => createPriceTable({ overrides })).toThrow('"-1"');
  });
});
