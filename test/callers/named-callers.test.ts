import { describe, expect, test } from 'vitest';

import { NamedCallers } from '../../src/callers/named-callers.ts';
import { createConfig } from '../../src/config/load.ts';
import type { ConfigInput } from '../../src/config/file/schema.ts';
import type { CallersConfig } from '../../src/config/port/caller-config.ts';

const SHA = 'ab'.repeat(32);

function resolved(config: ConfigInput): CallersConfig {
  const { callers } = createConfig({ config: { targets: [{ name: 'mock', provider: 'mock' }], ...config } });
  if (callers === undefined) throw new Error('no callers are named');
  return callers;
}

describe('a named caller', () => {
  test('has its own account, then that of its group, in one family', () => {
    const named = new NamedCallers(
      resolved({
        callers: [
          {
            name: 'billing',
            group: 'backend',
            api_keys: [{ sha256: SHA }],
            limits: { requests_per_minute: 600 },
            budget: { usd: '1.00', per: 'day' },
          },
        ],
        groups: [
          {
            name: 'backend',
            budget: [
              { usd: '20', per: 'day' },
              { usd: '300', per: 'month' },
            ],
          },
        ],
      }),
    );
    expect(named.get('billing')).toMatchObject({
      name: 'billing',
      metricName: 'billing',
      group: 'backend',
      accounts: [
        {
          key: 'caller:billing',
          family: 'group:backend',
          limits: { requestsPerMinute: 600 },
          budgets: [{ nanoUsd: 1_000_000_000n, per: 'day' }],
        },
        {
          key: 'group:backend',
          family: 'group:backend',
          budgets: [
            { nanoUsd: 20_000_000_000n, per: 'day' },
            { nanoUsd: 300_000_000_000n, per: 'month' },
          ],
        },
      ],
    });
    expect(named.get('billing')).toBe(named.get('billing'));
    expect(named.get('nobody')).toBeUndefined();
  });

  test('without limit and budget has no account', () => {
    const named = new NamedCallers(resolved({ callers: [{ name: 'free', api_keys: [{ sha256: SHA }] }] }));
    expect(named.get('free')?.accounts).toEqual([]);
  });

  test('of an entry that stands for many has an account of its own, and the name of the entry in metrics', () => {
    const config = resolved({
      callers: [
        {
          name: 'tenant',
          jwt: { issuer: 'https://idp.example.com/', audience: 'llm', jwks: 'jwks.json' },
          limits: { concurrent_calls: 2 },
        },
      ],
    });
    const [entry] = config.callers;
    expect(entry && new NamedCallers(config).ofValue(entry, 'acme')).toMatchObject({
      name: 'tenant:acme',
      metricName: 'tenant',
      accounts: [{ key: 'caller:tenant:acme', family: 'caller:tenant:acme', limits: { concurrentCalls: 2 } }],
    });
  });

  test('takes from the defaults what its entry does not say, field by field', () => {
    const { callers } = resolved({
      caller_defaults: {
        group: 'all',
        allow: { routes: ['default'], targets: ['mock'] },
        limits: { requests_per_minute: 10, concurrent_calls: 3 },
        budget: { usd: '5', per: 'month' },
      },
      groups: [{ name: 'all' }, { name: 'few' }],
      callers: [
        { name: 'plain', api_keys: [{ sha256: SHA }] },
        {
          name: 'other',
          group: 'few',
          api_keys: [{ sha256: 'cd'.repeat(32) }],
          allow: { targets: [] },
          limits: { requests_per_minute: 20 },
          budget: { usd: '1', per: 'day' },
        },
      ],
    });
    expect(callers).toMatchObject([
      {
        group: 'all',
        routes: ['default'],
        targets: ['mock'],
        limits: { requestsPerMinute: 10, concurrentCalls: 3 },
        budgets: [{ nanoUsd: 5_000_000_000n, per: 'month' }],
      },
      {
        group: 'few',
        routes: ['default'],
        limits: { requestsPerMinute: 20, concurrentCalls: 3 },
        budgets: [{ nanoUsd: 1_000_000_000n, per: 'day' }],
      },
    ]);
    expect(callers[1]?.targets).toBeUndefined();
  });
});
