import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';

import type { LimitStoreConfig } from '../../../src/config/port/limit-store-config.ts';
import { accountOf, CENT, cents } from '../../support/caller-accounts.ts';
import { hasRedis, type ScratchRedis, startScratchRedis } from '../../support/scratch-redis.ts';
import { openSharedStore } from '../../support/shared-stores.ts';
import { openSlowRoad, type SlowRoad } from '../../support/slow-road.ts';

const ACCOUNTS = [accountOf('caller:a', { limits: { concurrentCalls: 3 }, budgets: [cents(10)] })];
const KEY = 'test:{caller:a}caller:a';
/** Opens a store that is closed when the test is over. */
function openStore(url: string, changes: Partial<LimitStoreConfig> = {}) {
  const { store, messages: told } = openSharedStore(url, changes);
  onTestFinished(() => store.close());
  return { store, told };
}

const SOON = { timeout: 60_000, interval: 20 };

describe.skipIf(!hasRedis())('a store of limits', () => {
  let redis: ScratchRedis;
  let road: SlowRoad;
  let url: string;
  beforeEach(async () => {
    redis = await startScratchRedis('--repl-diskless-sync-delay', '0');
    road = await openSlowRoad(redis.port);
    url = `redis://127.0.0.1:${road.port}`;
  });
  afterEach(async () => {
    road.close();
    await redis.stop();
  });

  const spent = (): string => redis.command('HGET', KEY, 'day.spent');
  const underWay = () => {
    const flat = redis.command('HGETALL', KEY).split('\n');
    const own = flat[flat.findIndex((field) => field.startsWith('replica:')) + 1] ?? '';
    const [, calls, held] = own.split(' ');
    return { calls, held };
  };
  const isBack = (told: readonly string[]) =>
    vi.waitFor(() => expect(told.at(-1)).toBe('The store of limits answers.'), SOON);

  test('that is slow is not waited for beyond its timeout, then not at all, and keeps nothing that came late', async () => {
    const { store, told } = openStore(url, { timeoutMs: 100 });
    expect(await store.reserve(ACCOUNTS, CENT)).toBeUndefined();
    store.settle(ACCOUNTS, CENT, 0n);
    const { promise: held, resolve: goOn } = Promise.withResolvers<void>();
    road.held = held;
    for (let miss = 0; miss < 3; miss++) {
      const beganAtMs = performance.now();
      expect(await store.reserve(ACCOUNTS, 2n * CENT)).toEqual({ kind: 'unavailable' });
      expect(performance.now() - beganAtMs).toBeGreaterThan(98);
    }
    expect(told).toEqual([
      'The store of limits does not answer (timeout). Until it does, calls of callers with limits are refused.',
    ]);
    for (let call = 0; call < 100; call++) {
      expect(await store.enter(ACCOUNTS, 0)).toEqual({ kind: 'unavailable' });
    }
    road.held = undefined;
    goOn();
    await isBack(told);
    await vi.waitFor(() => expect(underWay()).toEqual({ calls: '0', held: '0' }), SOON);
    expect(store.figures.timeouts).toBe(3);
    expect(store.figures.withoutStore).toEqual({ refused: 103, counted_in_memory: 0 });
    expect(await store.reserve(ACCOUNTS, 10n * CENT)).toBeUndefined();
  });

  test('books what was sent once, also where its answer is lost', async () => {
    const { store, told } = openStore(url);
    expect(await store.reserve(ACCOUNTS, 3n * CENT)).toBeUndefined();
    road.isMute = true;
    store.settle(ACCOUNTS, 3n * CENT, 2n * CENT);
    await vi.waitFor(() => expect(spent()).toBe('20000000'), SOON);
    road.isMute = false;
    road.cut();
    await vi.waitFor(() => expect(store.figures.isUp).toBe(true), SOON);
    expect(await store.reserve(ACCOUNTS, 8n * CENT)).toBeUndefined();
    expect(spent()).toBe('20000000');
    expect(told).toEqual([]);
  });

  test('that is gone has calls refused where it is closed, and knows all that was spent when it is back', async () => {
    const { store, told } = openStore(url);
    expect(await store.enter(ACCOUNTS, 0)).toBeUndefined();
    expect(await store.reserve(ACCOUNTS, 9n * CENT)).toBeUndefined();
    await redis.kill();
    await vi.waitFor(() => expect(told).toHaveLength(1), SOON);
    expect(await store.reserve(ACCOUNTS, CENT)).toEqual({ kind: 'unavailable' });
    store.settle(ACCOUNTS, 9n * CENT, 9n * CENT);
    store.leave(ACCOUNTS, 0, 0);
    await redis.start();
    await isBack(told);
    expect(await store.reserve(ACCOUNTS, 2n * CENT)).toMatchObject({ kind: 'exhausted' });
    expect(await store.reserve(ACCOUNTS, CENT)).toBeUndefined();
    expect(spent()).toBe('90000000');
  });

  test('that is gone has calls counted in memory where it is open, from what is known, and books it when it is back', async () => {
    const { store, told } = openStore(url, { failureMode: 'open' });
    expect(await store.reserve(ACCOUNTS, 4n * CENT)).toBeUndefined();
    store.settle(ACCOUNTS, 4n * CENT, 4n * CENT);
    await vi.waitFor(() => expect(spent()).toBe('40000000'), SOON);
    await redis.kill();
    await vi.waitFor(() => expect(told.at(-1)).toContain('calls are counted by this process alone'), SOON);
    expect(await store.reserve(ACCOUNTS, 7n * CENT)).toMatchObject({ kind: 'exhausted' });
    expect(await store.enter(ACCOUNTS, 0)).toBeUndefined();
    expect(await store.reserve(ACCOUNTS, 5n * CENT)).toBeUndefined();
    expect(await store.reserve(ACCOUNTS, 2n * CENT)).toMatchObject({ kind: 'reserved' });
    store.settle(ACCOUNTS, 5n * CENT, 3n * CENT);
    expect(await store.reserve(ACCOUNTS, 3n * CENT)).toBeUndefined();
    await redis.start();
    await isBack(told);
    // What goes on since then is the store's to count, too.
    await vi.waitFor(() => expect(underWay()).toEqual({ calls: '1', held: '30000000' }), SOON);
    expect(spent()).toBe('70000000');
    store.settle(ACCOUNTS, 3n * CENT, 3n * CENT);
    store.leave(ACCOUNTS, 0, 0);
    await vi.waitFor(() => expect(underWay()).toEqual({ calls: '0', held: '0' }), SOON);
    expect(spent()).toBe('100000000');
    expect(await store.reserve(ACCOUNTS, 1n)).toMatchObject({ kind: 'exhausted' });
  });

  test.each(['open', 'closed'] as const)(
    'that is not there at the start is no reason not to start: %s',
    async (failureMode) => {
      await redis.kill();
      const { store, told } = openStore(url, { failureMode });
      await store.reached;
      expect(told).toHaveLength(1);
      const expected = failureMode === 'open' ? undefined : { kind: 'unavailable' };
      expect(await store.enter(ACCOUNTS, 0)).toEqual(expected);
      await redis.start();
      await isBack(told);
      expect(await store.enter(ACCOUNTS, 0)).toBeUndefined();
    },
  );

  test('whose password is wrong says so in a word, without the password', async () => {
    redis.command('CONFIG', 'SET', 'requirepass', 'hush-hush');
    const { store, told } = openStore(`redis://:wrong-secret@127.0.0.1:${road.port}`);
    await store.reached;
    expect(told).toEqual([
      'The store of limits does not answer (WRONGPASS). Until it does, calls of callers with limits are refused.',
    ]);
    const right = openStore(`redis://:hush-hush@127.0.0.1:${road.port}`);
    expect(await right.store.enter(ACCOUNTS, 0)).toBeUndefined();
  });

  test('that failed over without its last writes renews no budget', async () => {
    const replica = await startScratchRedis('--replicaof', `127.0.0.1 ${redis.port}`);
    try {
      const { store } = openStore(url);
      expect(await store.reserve(ACCOUNTS, CENT)).toBeUndefined();
      store.settle(ACCOUNTS, CENT, CENT);
      await vi.waitFor(() => expect(replica.command('HGET', KEY, 'day.spent')).toBe('10000000'), SOON);
      replica.command('REPLICAOF', 'NO', 'ONE');
      // What comes now is lost in the failover.
      expect(await store.reserve(ACCOUNTS, 7n * CENT)).toBeUndefined();
      store.settle(ACCOUNTS, 7n * CENT, 7n * CENT);
      await vi.waitFor(() => expect(spent()).toBe('80000000'), SOON);
      redis.command('REPLICAOF', '127.0.0.1', String(replica.port));
      road.target = replica.port;
      await vi.waitFor(async () => expect(await store.reserve(ACCOUNTS, CENT)).toBeUndefined(), SOON);
      expect(replica.command('HGET', KEY, 'day.spent')).toBe('80000000');
      expect(await store.reserve(ACCOUNTS, 2n * CENT)).toMatchObject({ kind: 'reserved' });
    } finally {
      await replica.stop();
    }
  });

  test('may be a cluster', async () => {
    const cluster = await startScratchRedis('--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1');
    try {
      cluster.command('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
      await vi.waitFor(() => expect(cluster.command('CLUSTER', 'INFO')).toContain('cluster_state:ok'), SOON);
      const { store, told } = openStore(cluster.url, { isCluster: true });
      await store.reached;
      const group = (name: string) => accountOf(`group:${name}`, { budgets: [cents(10)] });
      for (const name of ['a', 'b', 'c']) {
        const own = accountOf('caller:x', { budgets: [cents(1)], family: `group:${name}` });
        expect(await store.reserve([own, group(name)], CENT)).toBeUndefined();
      }
      cluster.command('SCRIPT', 'FLUSH');
      expect(await store.reserve([group('a')], 10n * CENT)).toMatchObject({ kind: 'reserved' });
      await cluster.kill();
      await cluster.start();
      await vi.waitFor(() => expect(cluster.command('CLUSTER', 'INFO')).toContain('cluster_state:ok'), SOON);
      await vi.waitFor(async () => expect(await store.reserve([group('b')], CENT)).toBeUndefined(), SOON);
      expect(told.filter((line) => line.includes('(')).length).toBeLessThanOrEqual(1);
    } finally {
      await cluster.stop();
    }
  });
});
