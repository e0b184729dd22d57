import { expect, test } from 'vitest';

import { createMetrics } from '../../../src/telemetry/metering/metrics.ts';
import { accountOf, callerOf, CENT, cents } from '../../support/caller-accounts.ts';
import { failedEnd, okEnd } from '../ends.ts';
import { parseExposition } from '../exposition.ts';

test('callers are counted under the names of the configuration, and what is left of their budgets is shown', async () => {
  const group = accountOf('group:backend', { budgets: [cents(500, 'month')] });
  const billing = callerOf('billing', { budgets: [cents(100)] });
  const ofToken = (value: string) => ({
    ...callerOf(`apps:${value}`, { metricName: 'apps' }),
    accounts: [accountOf(`caller:apps:${value}`, { budgets: [cents(10)] }), group],
  });
  const metrics = createMetrics({
    processMetrics: false,
    spentOf: ({ budgets }) => budgets.map(({ per }) => ({ per, nanoUsd: 30n * CENT })),
  });
  metrics.callEnded(okEnd({ caller: billing, cost: { nanoUsd: 2n * CENT, source: 'EXACT' } }));
  metrics.callEnded(failedEnd({ caller: billing, refusedBy: 'budget' }));
  for (let value = 0; value < 50; value++) metrics.callEnded(okEnd({ caller: ofToken(String(value)) }));
  const { samples } = parseExposition((await metrics.render([])).body);
  const shown = samples
    .filter(({ name }) => name.startsWith('understudy_caller_'))
    .map(({ name, labels, value }) => [
      name.slice('understudy_caller_'.length),
      Object.values(labels).join(' '),
      value,
    ]);
  expect(shown).toEqual(
    expect.arrayContaining([
      ['calls_total', 'billing OK', 1],
      ['calls_total', 'apps OK', 50],
      ['cost_usd_total', 'billing', 0.02],
      ['refused_total', 'billing budget', 1],
      ['budget_remaining_usd', 'caller:billing day', 0.7],
      ['budget_remaining_usd', 'group:backend month', 4.7],
    ]),
  );
  expect(shown.filter(([name]) => name === 'budget_remaining_usd')).toHaveLength(2);
});

test('what is left of budgets follows the configuration', async () => {
  const metrics = createMetrics({
    processMetrics: false,
    spentOf: ({ budgets }) => budgets.map(({ per }) => ({ per, nanoUsd: 30n * CENT })),
  });
  const remaining = async (): Promise<Record<string, number>> => {
    const { samples } = parseExposition((await metrics.render([])).body);
    const budgets = samples.filter(({ name }) => name === 'understudy_caller_budget_remaining_usd');
    return Object.fromEntries(budgets.map(({ labels, value }) => [`${labels['account']} ${labels['per']}`, value]));
  };
  for (const name of ['billing', 'gone'])
    metrics.callEnded(okEnd({ caller: callerOf(name, { budgets: [cents(100)] }) }));
  metrics.accountsHold(new Map([['caller:billing', accountOf('caller:billing', { budgets: [cents(50)] })]]));
  expect(await remaining()).toEqual({ 'caller:billing day': 0.2 });
  metrics.callEnded(okEnd({ caller: callerOf('billing', { budgets: [cents(50), cents(500, 'month')] }) }));
  expect(await remaining()).toEqual({ 'caller:billing day': 0.2, 'caller:billing month': 4.7 });
});
