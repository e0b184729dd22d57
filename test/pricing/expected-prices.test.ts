import { expect, test, vi } from 'vitest';

import { Accounting } from '../../src/pricing/accounting.ts';
import { PriceFallback } from '../../src/pricing/price-fallback.ts';
import { createPriceTable } from '../../src/pricing/price-table.ts';

const OWN = { model: 'in-house', input: '1', output: '2' };

/** An accounting of four targets, and how often it has loaded the library. */
function accountingOf() {
  const load = vi.fn(() => Promise.reject(new Error('no library')));
  const targets = [
    { name: 'openai', ownHost: true },
    { name: 'azure', ownHost: true },
    { name: 'ollama', ownHost: true },
    { name: 'vllm', ownHost: false },
  ];
  const table = createPriceTable({ overrides: [{ target: 'openai', prices: [OWN] }] });
  return { load, accounting: new Accounting(table, new PriceFallback(load), () => 0, targets) };
}

test('the library of prices is loaded once an entry is expected whose price nobody else knows', () => {
  const { load, accounting } = accountingOf();
  const entry = { target: 'openai', provider: 'openai', model: 'gpt-9' };
  accounting.expect(entry);
  accounting.expect(entry);
  accounting.expect({ ...entry, model: 'gpt-10' });
  expect(load).toHaveBeenCalledTimes(1);
});

test.for([
  ['a model of the table', { target: 'openai', provider: 'openai', model: 'gpt-6-sol' }],
  ['a model with a price in the configuration', { target: 'openai', provider: 'openai', model: 'in-house' }],
  ['a deployment, which tells its model in its answers', { target: 'azure', provider: 'azure-openai', model: 'mine' }],
  ['a provider that is not in the library', { target: 'ollama', provider: 'ollama', model: 'glm-5.3:cloud' }],
  ['a server of somebody else', { target: 'vllm', provider: 'openai', model: 'gpt-9' }],
] as const)('the library of prices is not loaded for %s', ([, entry]) => {
  const { load, accounting } = accountingOf();
  accounting.expect(entry);
  expect(load).not.toHaveBeenCalled();
});
