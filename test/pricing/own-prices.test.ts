import { describe, expect, it } from 'vitest';

import { parsePriceFile } from '../../src/pricing/price-file.ts';
import { createPriceTable } from '../../src/pricing/price-table.ts';

const model = (name: string, input: string, more: object = {}) => ({
  provider: 'openai',
  model: name,
  source: 'a contract',
  date: '2026-11-20',
  prices: { input, output: '9' },
  ...more,
});

const own = (...models: readonly object[]) => parsePriceFile({ version: 'ours-1', models });

describe('prices that an operator keeps', () => {
  it('stand in place of the built-in ones of the same id, and beside the others', () => {
    const table = createPriceTable({ own: own(model('gpt-6-astra', '7'), model('ours', '3')) });
    expect(table.lookup('openai', 'gpt-6-astra')?.published.input).toBe('7');
    expect(table.lookup('azure-openai', 'ours')?.published.input).toBe('3');
    expect(table.lookup('anthropic', 'claude-sonnet-5')).toEqual(
      createPriceTable().lookup('anthropic', 'claude-sonnet-5'),
    );
  });

  it('are named in the version, and have an age of their own', () => {
    const plain = createPriceTable();
    const table = createPriceTable({ own: own(model('a', '1'), model('b', '1', { date: '2026-11-21' })) });
    expect(table.version).toBe(`ours-1+${plain.version}`);
    expect(table.checkedAtMs).toBe(Date.UTC(2026, 10, 21));
    expect(plain.checkedAtMs).toBeGreaterThan(Date.UTC(2026, 10, 28));
  });

  it('are refused where two of them have one id', () => {
    expect(() => createPriceTable({ own: own(model('a', '1'), model('b', '1', { aliases: ['a'] })) })).toThrow(
      'two prices',
    );
  });
});
