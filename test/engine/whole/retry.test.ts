import { describe, expect, it } from 'vitest';

import { createEngineHarness, failureOf, successOf, trailOf } from '../../support/engine-harness.ts';
import { answer, fails, SILENCE } from '../../support/upstream-scripts.ts';

const FOUR = ['a', 'b', 'c', 'd'];

/** Milliseconds between neighbours. */
function gaps(times: readonly number[]): number[] {
  return times.slice(1).map((time, index) => time - (times[index] ?? 0));
}

describe('a lone target', () => {
  it('gets one call and four repeats, with waits of exactly 1, 2, 4 and 8 s without jitter', async () => {
    const { run, upstream } = createEngineHarness(['a']);
    upstream.always('a', fails('overload', {}, 0));
    const result = await run(['a']);
    expect(gaps(upstream.openedAt('a'))).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(failureOf(result)).toMatchObject({ status: 'UNAVAILABLE', reason: 'ALL_PROVIDERS_FAILED', contacted: true });
    expect(result.attempts.map(({ kind, waitBeforeMs }) => `${kind} ${waitBeforeMs}`)).toEqual([
      'FIRST 0',
      'RETRY 1000',
      'RETRY 2000',
      'RETRY 4000',
      'RETRY 8000',
    ]);
  });

  it('has its waits drawn below those ceilings with full jitter', async () => {
    for (const seed of [1, 2, 3]) {
      const { run, upstream } = createEngineHarness(['a'], { retry: { jitter: 'FULL' }, seed });
      upstream.always('a', fails('overload', {}, 0));
      await run(['a']);
      const waits = gaps(upstream.openedAt('a'));
      expect(waits).toHaveLength(4);
      for (const [index, wait] of waits.entries()) expect(wait).toBeLessThan(1_000 * 2 ** index);
      expect(new Set(waits).size).toBe(4);
    }
  });

  it('is given the same time where the connection failed, and nothing counts as sent', async () => {
    const { run, upstream } = createEngineHarness(['a']);
    upstream.always('a', fails('connect', {}, 0));
    expect(failureOf(await run(['a'])).contacted).toBe(false);
    expect(gaps(upstream.openedAt('a'))).toEqual([1_000, 2_000, 4_000, 8_000]);
  });

  it('answers with its second call', async () => {
    const { run, upstream } = createEngineHarness(['a']);
    upstream.script('a', fails('overload'), answer(10, 'better'));
    const result = successOf(await run(['a']));
    expect(result).toMatchObject({ outputs: ['better'], elapsedMs: 1_020 });
    expect(trailOf(result)).toEqual(['FIRST a overload', 'RETRY a ok']);
  });

  it('takes a repeat and a list of waits from the configuration', async () => {
    const { run, upstream } = createEngineHarness(['a'], { retry: { maxRepeats: 2, backoffMs: [10, 70] } });
    upstream.always('a', fails('overload', {}, 0));
    await run(['a']);
    expect(gaps(upstream.openedAt('a'))).toEqual([10, 70]);
  });
});

describe('several targets', () => {
  it.each(['rate_limit', 'overload'] as const)(
    'persistent-%s: the next is asked after two calls at most',
    async (name) => {
      for (const retryAfterMs of [undefined, 0, 500, 2_000, 2_001, 60_000]) {
        const { run, upstream } = createEngineHarness(['a', 'b']);
        upstream.always('a', fails(name, { retryAfterMs }));
        upstream.always('b', answer(10, 'from b'));
        expect(successOf(await run(['a', 'b'])).serving.target).toBe('b');
        expect(upstream.openedAt('a').length).toBeLessThanOrEqual(2);
      }
    },
  );

  it('cost eight calls, three short waits and a long one when four are sick', async () => {
    const { run, upstream } = createEngineHarness(FOUR);
    for (const target of FOUR) upstream.always(target, fails('overload', {}, 0));
    const result = await run(FOUR);
    expect(upstream.calls).toEqual(['a', 'a', 'b', 'b', 'c', 'c', 'd', 'a']);
    expect(upstream.openedAt('a')).toEqual([0, 250, 8_750]);
    expect(result.elapsedMs).toBe(8_750);
  });

  it('cost twenty calls and a minute with EXHAUST_FIRST', async () => {
    const { run, upstream } = createEngineHarness(FOUR, { retry: { order: 'EXHAUST_FIRST' } });
    for (const target of FOUR) upstream.always(target, fails('overload', {}, 0));
    const result = await run(FOUR);
    expect(upstream.calls).toHaveLength(20);
    for (const target of FOUR) expect(gaps(upstream.openedAt(target))).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(result.elapsedMs).toBe(60_000);
  });

  it('are each asked once before any is repeated with NEXT_FIRST', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b'], { retry: { order: 'NEXT_FIRST' } });
    for (const target of ['a', 'b']) upstream.always(target, fails('overload', {}, 0));
    const result = await run(['a', 'b']);
    expect(upstream.calls).toEqual(['a', 'b', 'a', 'b', 'a', 'b']);
    expect(upstream.openedAt('a')).toEqual([0, 2_000, 10_000]);
    expect(result.attempts.map(({ kind }) => kind)).toEqual(['FIRST', 'FAILOVER', 'RETRY', 'RETRY', 'RETRY', 'RETRY']);
  });

  it('never make more repeats than a request may have', async () => {
    for (const order of ['SAME_THEN_NEXT', 'NEXT_FIRST'] as const) {
      const { run, upstream } = createEngineHarness(FOUR, { retry: { order, maxRepeats: 3 } });
      for (const target of FOUR) upstream.always(target, fails('reset'));
      const result = await run(FOUR);
      expect(result.attempts.filter(({ kind }) => kind === 'RETRY')).toHaveLength(3);
      expect(upstream.calls).toHaveLength(4 + 3);
    }
  });

  it('come round again in the order of the chain, but only those that a wait may have cured', async () => {
    const { run, upstream } = createEngineHarness(FOUR, { retry: { order: 'NEXT_FIRST' } });
    upstream.always('a', fails('silence'));
    upstream.always('b', fails('tls'));
    upstream.always('c', fails('auth'));
    upstream.script('d', fails('protocol'), answer(10, 'from d'));
    const result = successOf(await run(FOUR));
    expect(upstream.calls).toEqual(['a', 'b', 'c', 'd', 'a', 'd']);
    expect(result.serving.number).toBe(6);
  });

  it('repeat within the time that the visit has, so that the others keep theirs', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b', 'c']);
    const slow = { timing: { firstOutputMs: 120_000 }, timeoutMs: 60_000 };
    upstream.script('a', fails('reset', {}, 30_000), SILENCE);
    upstream.script('b', answer(10, 'from b'));
    const result = successOf(await run(['a', 'b', 'c'], slow));
    expect(result.attempts.map(({ entry, sliceMs }) => `${entry.target} ${sliceMs}`)).toEqual([
      'a 39350',
      'a 9300',
      'b 10000',
    ]);
  });

  it('leave a repeat all the time where the others have gone out of use meanwhile', async () => {
    const { ask, run, runtime, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('a', fails('rate_limit', { retryAfterMs: 1_500 }, 0), answer(10, 'again'));
    upstream.script('b', fails('auth', {}, 0));
    const { result } = ask(['a', 'b'], { timeoutMs: 10_000 });
    await runtime.advance(100);
    await run(['b']);
    await runtime.advance(5_000);
    const [first, second] = (await result).attempts;
    expect(first?.sliceMs).toBe(4_925);
    expect(second?.sliceMs).toBeCloseTo(9_850 - (second?.startedAfterMs ?? 0), 6);
  });

  it('do not spend repeats on targets that are passed over', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b'], { retry: { order: 'NEXT_FIRST', maxRepeats: 2 } });
    upstream.script('a', fails('rate_limit', { retryAfterMs: 20_000 }));
    upstream.always('b', fails('reset', {}, 0));
    const result = await run(['a', 'b']);
    expect(upstream.calls).toEqual(['a', 'b', 'b', 'b']);
    expect(result.attempts.filter(({ kind }) => kind === 'RETRY')).toHaveLength(2);
  });
});
