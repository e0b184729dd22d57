import { describe, expect, it } from 'vitest';

import { createEngineHarness, entryOf, failureOf, trailOf } from '../../support/engine-harness.ts';
import { answer, fails } from '../../support/upstream-scripts.ts';

describe('a target whose account or model is out of use', () => {
  const first = entryOf('a', { model: 'one' });
  const second = entryOf('a', { model: 'two' });

  it('is passed over with all its models when its key is refused, for 60 s', async () => {
    const { run, runtime, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('a', fails('auth'));
    upstream.always('b', answer(10, 'from b'));
    expect(trailOf(await run([first, second, 'b']))).toEqual([
      'FIRST a auth',
      'SKIPPED a local_refusal',
      'FAILOVER b ok',
    ]);
    await runtime.advance(59_950);
    expect(trailOf(await run([second, 'b']))).toEqual(['SKIPPED a local_refusal', 'FIRST b ok']);
    await runtime.advance(50);
    upstream.script('a', answer(10, 'from a'));
    expect(trailOf(await run([second, 'b']))).toEqual(['FIRST a ok']);
  });

  it('is passed over for 5 min when its quota is used up', async () => {
    const { run, runtime, upstream, health } = createEngineHarness(['a']);
    upstream.script('a', fails('quota'), answer(10, 'again'));
    await run(['a']);
    await runtime.advance(299_999 - 10);
    expect(failureOf(await run(['a']))).toMatchObject({
      status: 'RESOURCE_EXHAUSTED',
      reason: 'PROVIDER_QUOTA_EXHAUSTED',
      retryAfterMs: undefined,
      contacted: false,
    });
    expect(health('a').suspendedReason).toBe('quota');
    await runtime.advance(11);
    expect((await run(['a'])).ok).toBe(true);
  });

  it('keeps its other models when one is missing', async () => {
    const { run, upstream, health } = createEngineHarness(['a']);
    upstream.script('a', fails('not_found'), answer(10, 'from two'));
    const result = await run([first, second]);
    expect(trailOf(result)).toEqual(['FIRST a not_found', 'FAILOVER a ok']);
    expect(health('a')).toMatchObject({ available: true, suspendedReason: undefined });
    upstream.script('a', answer(10, 'from two'));
    expect(trailOf(await run([first, second]))).toEqual(['SKIPPED a local_refusal', 'FIRST a ok']);
  });

  it('has a circuit for each model', async () => {
    const { run, upstream, health } = createEngineHarness(['a'], { retry: { maxRepeats: 0 } });
    upstream.always('a', fails('overload'));
    for (let index = 0; index < 5; index++) await run([first]);
    upstream.always('a', answer(10, 'from two'));
    expect(trailOf(await run([first, second]))).toEqual(['SKIPPED a local_refusal', 'FIRST a ok']);
    expect(health('a')).toMatchObject({ available: true, circuit: 'OPEN' });
    expect(health('a').circuits).toMatchObject([
      { model: 'one', state: 'OPEN' },
      { model: 'two', state: 'CLOSED' },
    ]);
  });

  it('shares suspensions and rate limits with the other targets of its limit group, and nothing else', async () => {
    const { run, runtime, upstream, health } = createEngineHarness(['a', 'b', 'c'], {
      limitGroups: { a: 'account', b: 'account' },
    });
    upstream.script('a', fails('rate_limit', { retryAfterMs: 60_000 }));
    upstream.always('c', answer(10, 'from c'));
    expect(trailOf(await run(['a', 'b', 'c']))).toEqual([
      'FIRST a rate_limit',
      'SKIPPED b local_refusal',
      'FAILOVER c ok',
    ]);
    expect(health('b').rateLimitedForMs).toBeGreaterThan(59_000);
    expect(health('c').rateLimitedForMs).toBeUndefined();
    upstream.script('c', fails('auth'));
    await run(['c']);
    expect(health('c').suspendedReason).toBe('auth');
    expect(health('a').suspendedReason).toBeUndefined();
    await runtime.advance(61_000);
    upstream.script('b', fails('quota'));
    await run(['b']);
    expect(health('a').suspendedReason).toBe('quota');
    expect(health('a').circuits).toMatchObject([{ state: 'CLOSED' }]);
  });
});
