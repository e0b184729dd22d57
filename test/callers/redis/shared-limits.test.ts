import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { accountOf, CENT, cents } from '../../support/caller-accounts.ts';
import { hasRedis, startScratchRedis, type ScratchRedis } from '../../support/scratch-redis.ts';
import { openSharedStore } from '../../support/shared-stores.ts';
import { openSlowRoad } from '../../support/slow-road.ts';

/** A key that no other test has, so that tests share a server. */
let keys = 0;
const key = (): string => `caller:${++keys}`;

async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isSo())) await new Promise(setImmediate);
}

describe.skipIf(!hasRedis())('limits that gateways share (needs redis-server)', () => {
  let redis: ScratchRedis;
  beforeAll(async () => {
    redis = await startScratchRedis();
  });
  afterAll(async () => {
    await redis.stop();
  });

  async function two() {
    const [one, other] = [openSharedStore(redis.url).store, openSharedStore(redis.url).store];
    await Promise.all([one.reached, other.reached]);
    return { one, other, close: () => Promise.all([one.close(), other.close()]) };
  }

  test('let a minute’s worth of requests go, whichever gateway they come to', async () => {
    const { one, other, close } = await two();
    const accounts = [accountOf(key(), { limits: { requestsPerMinute: 10 } })];
    const answers = await Promise.all(
      Array.from({ length: 24 }, async (_, call) => (call % 2 === 0 ? one : other).enter(accounts, 0)),
    );
    expect(answers.filter((answer) => answer === undefined)).toHaveLength(10);
    expect(answers.find((answer) => answer !== undefined)).toMatchObject({
      kind: 'limited',
      limit: 'requestsPerMinute',
    });
    await close();
  });

  test('give back tokens that a call did not take', async () => {
    const { one, other, close } = await two();
    const accounts = [accountOf(key(), { limits: { tokensPerMinute: 100 } })];
    expect(await one.enter(accounts, 80)).toBeUndefined();
    expect(await other.enter(accounts, 80)).toMatchObject({ kind: 'limited', limit: 'tokensPerMinute' });
    one.leave(accounts, 80, 10);
    await until(async () => (await other.enter(accounts, 80)) === undefined);
    await close();
  });

  test('count the calls at a time of all gateways', async () => {
    const { one, other, close } = await two();
    const accounts = [accountOf(key(), { limits: { concurrentCalls: 2 } })];
    expect(await one.enter(accounts, 0)).toBeUndefined();
    expect(await other.enter(accounts, 0)).toBeUndefined();
    expect(await one.enter(accounts, 0)).toMatchObject({ kind: 'limited', limit: 'concurrentCalls' });
    other.leave(accounts, 0, 0);
    await until(async () => (await one.enter(accounts, 0)) === undefined);
    await close();
  });

  test('reserve, wait for what others hold, and end with what is spent', async () => {
    const { one, other, close } = await two();
    const accounts = [accountOf(key(), { budgets: [cents(10), cents(50, 'month')] })];
    expect(await one.reserve(accounts, 8n * CENT)).toBeUndefined();
    expect(await other.reserve(accounts, 4n * CENT)).toMatchObject({ kind: 'reserved', budget: { per: 'day' } });
    await new Promise<void>((resolve) => {
      const stop = other.onReturn(accounts, () => {
        void Promise.resolve(other.reserve(accounts, 4n * CENT)).then((answer) => {
          if (answer !== undefined) return;
          stop();
          resolve();
        });
      });
      one.settle(accounts, 8n * CENT, 5n * CENT);
    });
    other.settle(accounts, 4n * CENT, 4n * CENT);
    await until(async () => (await one.reserve(accounts, 2n * CENT))?.kind === 'exhausted');
    const refusal = await one.reserve(accounts, 2n * CENT);
    expect(refusal).toMatchObject({ kind: 'exhausted', budget: { per: 'day' } });
    expect(refusal?.kind === 'exhausted' && refusal.renewsAtMs % 86_400_000).toBe(0);
    await close();
  });

  test('reserve for the first attempt of a call that is let in, where there is so much', async () => {
    const { one, other, close } = await two();
    const family = `group:${key()}`;
    const group = accountOf(family, { family, budgets: [cents(10)] });
    const caller = accountOf(key(), { family, limits: { concurrentCalls: 3 } });
    const begin = async (count: number) => {
      const ahead = { accounts: [group], nanoUsd: BigInt(count) * CENT, isGranted: false };
      const refusal = await one.enter([caller], 1, ahead);
      return refusal === undefined ? ahead.isGranted : refusal.kind;
    };
    expect(await Promise.all([6, 5, 4, 1].map(begin))).toEqual([true, false, true, 'limited']);
    expect(await other.reserve([group], 1n)).toMatchObject({ kind: 'reserved' });
    one.settle([group], 6n * CENT, 1n * CENT);
    one.settle([group], 4n * CENT, 0n);
    one.leave([caller], 1, 1);
    await until(async () => (await other.reserve([group], 9n * CENT)) === undefined);
    expect(await other.reserve([group], 1n)).toMatchObject({ kind: 'reserved' });
    expect(await begin(1)).toBe(false);
    await close();
  });

  test('count a call in its caller’s account and in its group’s, or in neither', async () => {
    const { one, close } = await two();
    const family = `group:${key()}`;
    const group = accountOf(family, { family, budgets: [cents(5)] });
    const caller = accountOf(key(), { family, budgets: [cents(100)] });
    expect(await one.reserve([caller, group], 6n * CENT)).toMatchObject({
      kind: 'exhausted',
      account: { key: family },
    });
    expect(await one.reserve([caller], 100n * CENT)).toBeUndefined();
    await close();
  });

  test('go on when the server has forgotten its scripts', async () => {
    const { one, close } = await two();
    const accounts = [accountOf(key(), { limits: { requestsPerMinute: 2 } })];
    expect(await one.enter(accounts, 0)).toBeUndefined();
    redis.command('SCRIPT', 'FLUSH');
    expect(await one.enter(accounts, 0)).toBeUndefined();
    expect(await one.enter(accounts, 0)).toMatchObject({ kind: 'limited' });
    await close();
  });

  test('write keys that expire, with a hash tag', async () => {
    const { one, close } = await two();
    const name = key();
    await one.reserve([accountOf(name, { budgets: [cents(5)] })], CENT);
    const written = `test:{${name}}${name}`;
    expect(Number(redis.command('TTL', written))).toBeGreaterThan(86_400);
    await close();
  });

  test('keep what a gateway had reserved that is gone', async () => {
    const { one, other } = await two();
    const name = key();
    const accounts = [accountOf(name, { budgets: [cents(10)] })];
    expect(await one.reserve(accounts, 8n * CENT)).toBeUndefined();
    await one.close();
    const written = `test:{${name}}${name}`;
    const field =
      redis
        .command('HKEYS', written)
        .split('\n')
        .find((line) => line.startsWith('replica:')) ?? '';
    const [, ...rest] = redis.command('HGET', written, field).split(' ');
    redis.command('HSET', written, field, ['1', ...rest].join(' '));
    expect(await other.reserve(accounts, 4n * CENT)).toMatchObject({ kind: 'exhausted' });
    expect(await other.reserve(accounts, 2n * CENT)).toBeUndefined();
    await other.close();
  });

  test('refuse where the server is slow, at once after some misses, and take back what came late', async () => {
    const road = await openSlowRoad(redis.port);
    const opened = openSharedStore(`redis://127.0.0.1:${road.port}`, { timeoutMs: 200 });
    const { store } = opened;
    await store.reached;
    const accounts = [accountOf(key(), { budgets: [cents(10)] })];
    expect(await store.reserve(accounts, CENT)).toBeUndefined();
    const { promise: held, resolve: goOn } = Promise.withResolvers<void>();
    road.held = held;
    for (let miss = 0; miss < 3; miss++)
      expect(await store.reserve(accounts, 5n * CENT)).toEqual({ kind: 'unavailable' });
    await opened.said(/does not answer \(timeout\)/);
    const { timeouts } = store.figures;
    expect(await store.reserve(accounts, CENT)).toEqual({ kind: 'unavailable' });
    expect(store.figures.timeouts).toBe(timeouts);
    road.held = undefined;
    goOn();
    await opened.said(/^The store of limits answers/);
    await until(async () => (await store.reserve(accounts, 9n * CENT)) === undefined);
    await store.close();
    road.close();
  });

  test('go on in memory where the mode is open, and book it when the server is back without its data', async () => {
    const own = await startScratchRedis();
    const opened = openSharedStore(own.url, { failureMode: 'open' });
    const { store } = opened;
    await store.reached;
    const accounts = [accountOf(key(), { budgets: [cents(10)] })];
    expect(await store.reserve(accounts, 3n * CENT)).toBeUndefined();
    store.settle(accounts, 3n * CENT, 3n * CENT);
    await until(() => own.command('KEYS', '*') !== '');
    await own.kill();
    await opened.said(/are counted by this process alone/);
    expect(await store.reserve(accounts, 4n * CENT)).toBeUndefined();
    store.settle(accounts, 4n * CENT, 4n * CENT);
    expect(await store.reserve(accounts, 4n * CENT)).toMatchObject({ kind: 'exhausted' });
    await own.start();
    await opened.said(/^The store of limits answers/);
    const fresh = openSharedStore(own.url).store;
    await fresh.reached;
    await until(async () => {
      const answer = await fresh.reserve(accounts, 4n * CENT);
      if (answer === undefined) fresh.settle(accounts, 4n * CENT, 0n);
      return answer?.kind === 'exhausted';
    });
    expect(await fresh.reserve(accounts, 3n * CENT)).toBeUndefined();
    await Promise.all([store.close(), fresh.close()]);
    await own.stop();
  });

  test('are refused while the server is gone where the mode is closed, and a start without it is no failure', async () => {
    const own = await startScratchRedis();
    await own.kill();
    const opened = openSharedStore(own.url);
    await opened.said(/of callers with limits are refused/);
    const accounts = [accountOf(key(), { limits: { requestsPerMinute: 5 } })];
    expect(await opened.store.enter(accounts, 0)).toEqual({ kind: 'unavailable' });
    await own.start();
    await opened.said(/^The store of limits answers/);
    expect(await opened.store.enter(accounts, 0)).toBeUndefined();
    await opened.store.close();
    await own.stop();
  });

  test('work on a cluster', async () => {
    const own = await startScratchRedis('--cluster-enabled', 'yes');
    own.command('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    await until(() => own.command('CLUSTER', 'INFO').includes('cluster_state:ok'));
    const { store } = openSharedStore(own.url, { isCluster: true });
    await store.reached;
    const family = 'group:cluster';
    const accounts = [
      accountOf('caller:cluster', { family, budgets: [cents(10)] }),
      accountOf(family, { family, budgets: [cents(10)] }),
    ];
    await until(async () => (await store.reserve(accounts, 8n * CENT)) === undefined);
    expect(await store.reserve(accounts, 4n * CENT)).toMatchObject({ kind: 'reserved' });
    await store.close();
    await own.stop();
  });
});
