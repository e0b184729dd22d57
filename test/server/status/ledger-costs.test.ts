import { describe, expect, test } from 'vitest';

import type { UsageKey, UsageQueries, UsageSum } from '../../../src/ledger/port/usage-queries.ts';
import { LedgerCosts } from '../../../src/server/status/ledger-costs.ts';
import { createVirtualRuntime } from '../../support/virtual-runtime.ts';

const sum = (key: string, costNanoUsd: bigint, unknownCostAttempts = 0): UsageSum => ({
  keys: [key],
  requests: 1,
  attempts: 1,
  inputTokens: 0n,
  cachedInputTokens: 0n,
  outputTokens: 0n,
  reasoningTokens: 0n,
  costNanoUsd,
  listNanoUsd: 0n,
  unknownCostAttempts,
});

function ledger(tookMs = 0) {
  const runtime = createVirtualRuntime({ wallMs: Date.UTC(2026, 10, 30, 12) });
  const asked: (readonly UsageKey[])[] = [];
  let isGone = false;
  const sums: UsageQueries['sums'] = async (filter, keys) => {
    asked.push(keys);
    expect(filter.startMs).toBe(Math.floor(runtime.wall() / 86_400_000) * 86_400_000);
    if (tookMs > 0) await new Promise<void>((resolve) => void runtime.setTimer(tookMs, resolve));
    if (isGone) throw new Error('gone');
    return keys[0] === 'target' ? [sum('lead', 5n, 2)] : [sum('billing', 3n)];
  };
  return { costs: new LedgerCosts({ sums }, runtime), runtime, asked, leave: () => void (isGone = true) };
}

describe('the costs of today as the ledger has them', () => {
  test('are asked for when somebody looks, and known from the answer on', async () => {
    const { costs, runtime, asked } = ledger();
    expect(asked).toEqual([]);
    expect(costs.look()).toBeUndefined();
    await runtime.settle();
    expect(costs.look()).toEqual({
      targets: new Map([['lead', { nanoUsd: 5, unknownAttempts: 2 }]]),
      callers: new Map([['billing', { nanoUsd: 3, unknownAttempts: 0 }]]),
    });
    expect(asked).toEqual([['target'], ['caller']]);
  });

  test('are asked for every ten seconds, and the less often the longer the answer takes', async () => {
    const quick = ledger();
    const slow = ledger(1_000);
    for (const { costs, runtime } of [quick, slow]) {
      for (let second = 0; second < 120; second++) {
        costs.look();
        await runtime.advance(1_000);
      }
    }
    expect(quick.asked.length / 2).toBe(12);
    expect(slow.asked.length / 2).toBe(3);
  });

  test('are not told where the ledger is gone, nor of yesterday', async () => {
    const { costs, runtime, leave } = ledger();
    costs.look();
    await runtime.settle();
    await runtime.advance(12 * 3_600_000);
    expect(costs.look()).toBeUndefined();
    await runtime.settle();
    expect(costs.look()).toBeDefined();
    leave();
    await runtime.advance(10_000);
    costs.look();
    await runtime.settle();
    expect(costs.look()).toBeUndefined();
  });
});
