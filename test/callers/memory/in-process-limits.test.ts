import { describe, expect, test } from 'vitest';

import { InProcessLimits } from '../../../src/callers/memory/in-process-limits.ts';
import { countsIn, newBudgets, readSpent } from '../../../src/callers/memory/spent-before.ts';
import { accountOf, CENT, cents } from '../../support/caller-accounts.ts';

/** 2026-11-29T23:00:00Z. */
const LATE = 1_795_993_200_000;
const HOUR_MS = 3_600_000;

function stage({ wallMs = LATE, most = 100_000 } = {}) {
  const clock = { nowMs: 5_000, wallMs };
  const store = new InProcessLimits({ now: () => clock.nowMs, wall: () => clock.wallMs }, most);
  const pass = (ms: number): void => {
    clock.nowMs += ms;
    clock.wallMs += ms;
  };
  return { store, pass };
}

describe('a limit of requests per minute', () => {
  const accounts = [accountOf('caller:a', { limits: { requestsPerMinute: 60 } })];

  test('lets a minute’s worth go at once, and then one for each that comes back', () => {
    const { store, pass } = stage();
    for (let call = 0; call < 60; call++) expect(store.enter(accounts, 0)).toBeUndefined();
    expect(store.enter(accounts, 0)).toMatchObject({
      kind: 'limited',
      limit: 'requestsPerMinute',
      retryAfterMs: 1_000,
    });
    pass(999);
    expect(store.enter(accounts, 0)).toMatchObject({ retryAfterMs: 1 });
    pass(1);
    expect(store.enter(accounts, 0)).toBeUndefined();
    expect(store.enter(accounts, 0)).toMatchObject({ kind: 'limited' });
  });

  test('gives no more than a minute’s worth to who was quiet for long', () => {
    const { store, pass } = stage();
    pass(24 * HOUR_MS);
    for (let call = 0; call < 60; call++) expect(store.enter(accounts, 0)).toBeUndefined();
    expect(store.enter(accounts, 0)).toMatchObject({ kind: 'limited' });
  });

  test('never lets more go in a time than that and what comes back in it', () => {
    const { store, pass } = stage();
    let entered = 0;
    for (let step = 0; step < 10_000; step++) {
      if (store.enter(accounts, 0) === undefined) entered++;
      pass(37);
    }
    expect(entered).toBeGreaterThanOrEqual(60 + 369);
    expect(entered).toBeLessThanOrEqual(60 + 370);
  });
});

describe('a limit of tokens per minute', () => {
  const accounts = [accountOf('caller:a', { limits: { tokensPerMinute: 6_000 } })];

  test('counts what was estimated, and at the end what it really took', () => {
    const { store, pass } = stage();
    expect(store.enter(accounts, 6_000)).toBeUndefined();
    expect(store.enter(accounts, 100)).toMatchObject({ limit: 'tokensPerMinute', retryAfterMs: 1_000 });
    store.leave(accounts, 6_000, 500);
    expect(store.enter(accounts, 5_500)).toBeUndefined();
    store.leave(accounts, 5_500, 11_500);
    expect(store.enter(accounts, 100)).toMatchObject({ retryAfterMs: 61_000 });
    pass(61_000);
    expect(store.enter(accounts, 100)).toBeUndefined();
  });
});

describe('a limit of calls at a time', () => {
  test('lets the next one in when one has left', () => {
    const { store } = stage();
    const accounts = [accountOf('caller:a', { limits: { concurrentCalls: 2 } })];
    expect([store.enter(accounts, 0), store.enter(accounts, 0)]).toEqual([undefined, undefined]);
    expect(store.enter(accounts, 0)).toMatchObject({ limit: 'concurrentCalls', retryAfterMs: undefined });
    store.leave(accounts, 0, 0);
    expect(store.enter(accounts, 0)).toBeUndefined();
  });
});

describe('a caller with a group', () => {
  const group = accountOf('group:g', { limits: { requestsPerMinute: 3 }, budgets: [cents(10)] });
  const mine = [accountOf('caller:a', { limits: { requestsPerMinute: 2 }, budgets: [cents(6)] }), group];
  const others = [accountOf('caller:b', { budgets: [cents(100)] }), group];

  test('is counted in both or in neither, and told which of them is in the way', () => {
    const { store } = stage();
    expect([store.enter(mine, 0), store.enter(mine, 0)]).toEqual([undefined, undefined]);
    expect(store.enter(mine, 0)).toMatchObject({ account: { key: 'caller:a' } });
    expect(store.enter(others, 0)).toBeUndefined();
    expect(store.enter(others, 0)).toMatchObject({ account: { key: 'group:g' }, retryAfterMs: 20_000 });
  });

  test('spends from both budgets', () => {
    const { store } = stage();
    expect(store.reserve(mine, 6n * CENT)).toBeUndefined();
    expect(store.reserve(others, 5n * CENT)).toMatchObject({ kind: 'reserved', account: { key: 'group:g' } });
    store.settle(mine, 6n * CENT, 6n * CENT);
    expect(store.reserve(mine, 1n)).toMatchObject({ kind: 'exhausted', account: { key: 'caller:a' } });
    expect(store.reserve(others, 5n * CENT)).toMatchObject({ kind: 'exhausted', account: { key: 'group:g' } });
    expect(store.reserve(others, 4n * CENT)).toBeUndefined();
  });
});

describe('a budget', () => {
  const daily = [accountOf('caller:a', { budgets: [cents(100), cents(150, 'month')] })];

  test('renews at midnight and at the first of the month, UTC, and says when', () => {
    const { store, pass } = stage();
    expect(store.reserve(daily, 100n * CENT)).toBeUndefined();
    store.settle(daily, 100n * CENT, 100n * CENT);
    expect(store.reserve(daily, CENT)).toMatchObject({ kind: 'exhausted', renewsAtMs: LATE + HOUR_MS });
    pass(HOUR_MS - 1);
    expect(store.reserve(daily, CENT)).toMatchObject({ kind: 'exhausted', budget: { per: 'day' } });
    pass(1);
    expect(store.reserve(daily, 51n * CENT)).toMatchObject({
      kind: 'exhausted',
      budget: { per: 'month' },
      renewsAtMs: LATE + HOUR_MS + 24 * HOUR_MS,
    });
    expect(store.reserve(daily, 50n * CENT)).toBeUndefined();
    store.settle(daily, 50n * CENT, 50n * CENT);
    pass(24 * HOUR_MS);
    expect(store.reserve(daily, 100n * CENT)).toBeUndefined();
  });

  test('counts what was reserved before it renewed in the new period', () => {
    const { store, pass } = stage();
    expect(store.reserve(daily, 60n * CENT)).toBeUndefined();
    pass(HOUR_MS);
    expect(store.reserve(daily, 60n * CENT)).toMatchObject({ kind: 'reserved' });
    store.settle(daily, 60n * CENT, 30n * CENT);
    expect(store.reserve(daily, 70n * CENT)).toBeUndefined();
  });

  test('is not renewed by a clock that is set back', () => {
    const { store, pass } = stage();
    store.reserve(daily, 100n * CENT);
    store.settle(daily, 100n * CENT, 100n * CENT);
    pass(-48 * HOUR_MS);
    expect(store.reserve(daily, CENT)).toMatchObject({ kind: 'exhausted' });
  });

  test('has what the ledger knows of before this process began', async () => {
    const { store } = stage();
    const asked: number[] = [];
    const spent = await readSpent((sinceMs) => {
      asked.push(sinceMs);
      return Promise.resolve([{ caller: 'a', group: 'g', nanoUsd: BigInt(asked.length) * 45n * CENT }]);
    }, LATE);
    store.restore(spent);
    expect(asked).toEqual([Date.UTC(2026, 10, 29), Date.UTC(2026, 10, 1)]);
    expect(store.reserve(daily, 61n * CENT)).toMatchObject({ kind: 'exhausted', budget: { per: 'month' } });
    expect(store.reserve(daily, 60n * CENT)).toMatchObject({ kind: 'exhausted', budget: { per: 'day' } });
    expect(store.reserve(daily, 55n * CENT)).toBeUndefined();
    expect(store.spentOf(daily[0] ?? accountOf('', {}))).toMatchObject([
      { per: 'day', nanoUsd: 45n * CENT },
      { per: 'month', nanoUsd: 90n * CENT },
    ]);
  });
});

describe('a budget that another configuration has', () => {
  const config = (...budgets: readonly ('day' | 'month')[]) => ({
    callers: [],
    groups: [{ name: 'g', limits: {}, budgets: budgets.map((per) => ({ nanoUsd: CENT, per })) }],
  });

  test('counts what the ledger knows, the callers of a group together, and what was counted here but once', async () => {
    const { store } = stage();
    const group = [accountOf('group:g', { budgets: [cents(100), cents(100, 'month')] })];
    const budgets = newBudgets(config('day', 'month'), config('day'));
    store.reserve(group, 10n * CENT);
    store.settle(group, 10n * CENT, 10n * CENT);
    const rows = ['a', 'b'].map((caller) => ({ caller, group: 'g', nanoUsd: 20n * CENT }));
    const spent = await readSpent(() => Promise.resolve(rows), LATE);
    store.restore(spent.filter(countsIn(budgets)));
    expect(store.spentOf(group[0] ?? accountOf('', {}))).toMatchObject([
      { per: 'day', nanoUsd: 10n * CENT },
      { per: 'month', nanoUsd: 40n * CENT },
    ]);
    expect([...newBudgets(config('day'), config('day'))]).toEqual([]);
  });
});

describe('what comes back', () => {
  test('is told to who waits for it, until they wait no longer', () => {
    const { store } = stage();
    const accounts = [accountOf('caller:a', { budgets: [cents(100)] })];
    let told = 0;
    const stop = store.onReturn(accounts, () => {
      told++;
    });
    store.reserve(accounts, CENT);
    store.settle(accounts, CENT, 0n);
    expect(told).toBe(1);
    stop();
    store.settle(accounts, 0n, 0n);
    expect(told).toBe(1);
  });
});

describe('callers that are many', () => {
  test('are forgotten once nothing is counted of them, and never with a call under way', () => {
    const { store, pass } = stage({ most: 2_000 });
    const busy = [accountOf('caller:busy', { limits: { concurrentCalls: 1 }, budgets: [cents(1)] })];
    store.enter(busy, 0);
    store.reserve(busy, CENT);
    for (let each = 0; each < 20_000; each++) {
      const one = [accountOf(`caller:a:${each}`, { limits: { requestsPerMinute: 60 }, budgets: [cents(1)] })];
      store.enter(one, 0);
      store.leave(one, 0, 0);
      store.reserve(one, CENT);
      store.settle(one, CENT, CENT);
      pass(1);
    }
    expect(store.size).toBeLessThanOrEqual(2_201);
    expect(store.enter(busy, 0)).toMatchObject({ limit: 'concurrentCalls' });
    expect(store.reserve(busy, 1n)).toMatchObject({ kind: 'reserved' });
  });

  test('do not renew the budget of their group, which came first', () => {
    const { store } = stage({ most: 2_000 });
    const group = accountOf('group:tenants', { budgets: [cents(1)] });
    store.settle([group], 0n, CENT);
    for (let each = 0; each < 5_000; each++) {
      store.settle([accountOf(`caller:a:${each}`, { budgets: [cents(1)] })], 0n, CENT);
    }
    expect(store.reserve([group], 1n)).toMatchObject({ kind: 'exhausted' });
  });
});
