import { describe, expect, it } from 'vitest';

import { createEngineHarness, entryOf, failureOf, successOf, trailOf } from '../../support/engine-harness.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import { answer, breaksAfter, fails } from '../../support/upstream-scripts.ts';

const SICK = fails('overload', {}, 0);
/** Repeats follow soon, so that the failures of several requests lie in one window. */
const QUICK = { retry: { backoffMs: [100] } };

describe('the failures of one request at one target', () => {
  it('count once, however often it comes back, while nobody else can do the work', async () => {
    const { run, upstream, health } = createEngineHarness(['a'], QUICK);
    upstream.always('a', SICK);
    for (let requests = 0; requests < 4; requests++) {
      await run(['a']);
      expect(health('a').circuit).toBe('CLOSED');
    }
    expect(health('a').failures).toBeGreaterThan(10);
    await run(['a']);
    expect(health('a').circuit).toBe('OPEN');
  });

  it.each(['connect', 'overload'] as const)(
    'let a caller with 20 s outlast two seconds without a word of anybody: %s',
    async (name) => {
      const { ask, run, runtime, upstream } = createEngineHarness(['a'], { retry: { jitter: 'FULL' }, seed: 1 });
      upstream.always('a', fails(name, {}, 0));
      const { result } = ask(['a'], { timeoutMs: 20_000 });
      await runtime.advance(2_000);
      upstream.always('a', answer(10, 'well again'));
      await runtime.advance(18_000);
      expect(successOf(await result).outputs).toEqual(['well again']);
      expect(trailOf(await run(['a']))).toEqual(['FIRST a ok']);
    },
  );

  it('leave three callers their target behind a second of 503', async () => {
    const { ask, run, runtime, upstream } = createEngineHarness(['a'], { retry: { jitter: 'FULL' }, seed: 2 });
    upstream.always('a', SICK);
    const callers = [1, 2, 3].map(() => ask(['a'], { timeoutMs: 20_000 }));
    await runtime.advance(1_000);
    upstream.always('a', answer(10, 'well again'));
    await runtime.advance(19_000);
    for (const { result } of callers) expect((await result).ok).toBe(true);
    expect(trailOf(await run(['a']))).toEqual(['FIRST a ok']);
  });

  it('count once as well where every other target fails with it, or cannot be asked', async () => {
    const { run, upstream, health } = createEngineHarness(['a', 'b', 'c'], QUICK);
    upstream.always('a', SICK);
    upstream.always('b', SICK);
    upstream.script('c', fails('auth', {}, 0));
    await run(['c']);
    for (let requests = 0; requests < 3; requests++) await run(['a', 'b', 'c']);
    expect(health('a').circuit).toBe('CLOSED');
    // Of the first request two have counted at `a`: `b` was thought to be well.
    expect(trailOf(await run(['a', 'b', 'c'])).slice(0, 3)).toEqual([
      'FIRST a overload',
      'FAILOVER b overload',
      'SKIPPED c local_refusal',
    ]);
    expect(health('a').circuit).toBe('OPEN');
    expect(health('b').circuit).toBe('CLOSED');
  });

  it('count twice where a repeat fails next to a target that is well: so a dead one is left in the third request', async () => {
    const { run, upstream, health } = createEngineHarness(['a', 'b']);
    upstream.always('a', SICK);
    upstream.always('b', answer(10, 'from b'));
    for (let requests = 0; requests < 3; requests++) successOf(await run(['a', 'b']));
    expect(upstream.openedAt('a')).toHaveLength(5);
    expect(health('a').circuit).toBe('OPEN');
  });

  it('count once where the other entries are other models of the same target', async () => {
    const { run, upstream, health } = createEngineHarness(['a'], QUICK);
    upstream.always('a', fails('connect', {}, 0));
    const chain = [entryOf('a', { model: 'one' }), entryOf('a', { model: 'two' })];
    for (let requests = 0; requests < 4; requests++) await run(chain);
    expect(health('a').circuits.map(({ state }) => state)).toEqual(['CLOSED', 'CLOSED']);
    await run(chain);
    expect(health('a').circuits.map(({ state }) => state)).toEqual(['OPEN', 'OPEN']);
  });

  it('count once with EXHAUST_FIRST, too', async () => {
    const { run, upstream, health } = createEngineHarness(['a'], { retry: { order: 'EXHAUST_FIRST' } });
    upstream.always('a', SICK);
    await run(['a']);
    expect(upstream.openedAt('a')).toEqual([0, 1_000, 3_000, 7_000, 15_000]);
    expect(health('a').circuit).toBe('CLOSED');
  });

  it('count once where a stream begins anew on the target that broke it off', async () => {
    const { run, runtime, upstream, health } = createEngineHarness(['a'], QUICK);
    upstream.always('a', breaksAfter(['half'], 'overload', 0));
    for (let requests = 0; requests < 2; requests++) {
      const client = new RecordingClient(runtime);
      failureOf(await run(['a'], { client, recovery: 'RESTART' }));
    }
    expect(health('a').failures).toBeGreaterThan(5);
    expect(health('a').circuit).toBe('CLOSED');
  });

  it('count again in a later generation of the circuit', async () => {
    const options = { circuitBreaker: { failures: 2 }, retry: { maxRepeats: 1, order: 'NEXT_FIRST' } } as const;
    const { ask, run, runtime, upstream, health } = createEngineHarness(['a', 'b'], options);
    upstream.always('a', SICK);
    upstream.always('b', fails('reset', {}, 40_000));
    const long = ask(['a', 'b'], { timing: { firstOutputMs: 120_000 } });
    await runtime.advance(1);
    await run(['a'], { timeoutMs: 100 });
    expect(health('a').circuit).toBe('OPEN');
    await runtime.advance(31_000);
    upstream.script('a', answer(0, 'well again'));
    successOf(await run(['a']));
    await runtime.advance(20_000);
    expect((await long.result).attempts.map(({ entry }) => entry.target)).toEqual(['a', 'b', 'a']);
    expect(health('a').circuit).toBe('CLOSED');
    await run(['a'], { timeoutMs: 100 });
    expect(health('a').circuit).toBe('OPEN');
  });
});
