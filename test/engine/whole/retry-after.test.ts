import { describe, expect, it } from 'vitest';

import { createEngineHarness, failureOf, successOf, trailOf } from '../../support/engine-harness.ts';
import { answer, fails } from '../../support/upstream-scripts.ts';

describe('Retry-After', () => {
  it('is a lower bound for the next call to the target, also of other requests', async () => {
    const { run, upstream, runtime } = createEngineHarness(['a', 'b']);
    upstream.script('a', fails('rate_limit', { retryAfterMs: 20_000 }, 0), answer(10, 'again'));
    upstream.always('b', answer(10, 'from b'));
    await run(['a', 'b']);
    expect(trailOf(await run(['a', 'b']))).toEqual(['SKIPPED a local_refusal', 'FIRST b ok']);
    await runtime.advance(22_000);
    expect(trailOf(await run(['a', 'b']))).toEqual(['FIRST a ok']);
  });

  it('is waited for on a lone target up to 30 s', async () => {
    const { run, upstream } = createEngineHarness(['a']);
    upstream.script('a', fails('rate_limit', { retryAfterMs: 25_000 }, 0), answer(10, 'again'));
    const result = successOf(await run(['a']));
    const [first = 0, second = 0] = upstream.openedAt('a');
    expect(second - first).toBeGreaterThanOrEqual(25_000);
    expect(second - first).toBeLessThanOrEqual(26_000);
    expect(result.attempts[1]?.waitBeforeMs).toBe(second - first);
  });

  it.each([
    ['of more than 30 s', 45_000, 600_000],
    ['beyond the deadline', 9_500, 10_000],
  ])('%s is told to the caller at once', async (_what, retryAfterMs, timeoutMs) => {
    const { run, upstream } = createEngineHarness(['a']);
    upstream.script('a', fails('rate_limit', { retryAfterMs }));
    const result = await run(['a'], { timeoutMs });
    expect(failureOf(result)).toMatchObject({ status: 'RESOURCE_EXHAUSTED', retryAfterMs, contacted: true });
    expect(result.elapsedMs).toBe(10);
  });

  it('of up to 2 s is waited for on the same target once, then the next one is asked', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.always('a', fails('rate_limit', { retryAfterMs: 1_500 }, 0));
    upstream.always('b', answer(10, 'from b'));
    expect(trailOf(await run(['a', 'b']))).toEqual(['FIRST a rate_limit', 'RETRY a rate_limit', 'FAILOVER b ok']);
    expect(upstream.openedAt('a')[1]).toBeGreaterThanOrEqual(1_500);
  });

  it('of a rate limit that comes again keeps the target from being asked a third time', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.script(
      'a',
      fails('rate_limit', { retryAfterMs: 1_000 }, 0),
      fails('rate_limit', { retryAfterMs: 90_000 }, 0),
    );
    upstream.always('b', fails('overload', {}, 0));
    const result = await run(['a', 'b']);
    expect(upstream.openedAt('a')).toHaveLength(2);
    expect(failureOf(result)).toMatchObject({ status: 'UNAVAILABLE', retryAfterMs: undefined });
  });

  it('of an overload is honoured like that of a rate limit', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('a', fails('overload', { retryAfterMs: 10_000 }));
    upstream.always('b', answer(10, 'from b'));
    await run(['a', 'b']);
    expect(upstream.openedAt('a')).toHaveLength(1);
    expect(trailOf(await run(['a', 'b']))).toEqual(['SKIPPED a local_refusal', 'FIRST b ok']);
  });
});

describe('a target that is cooling when its turn comes', () => {
  it('has its turn as soon as it is free, where the others cannot answer', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b'], { retry: { maxRepeats: 0 } });
    upstream.script('a', fails('rate_limit', { retryAfterMs: 5_000 }, 0), answer(10, 'free again'));
    upstream.always('b', fails('auth', {}, 0));
    await run(['a']);
    const result = successOf(await run(['a', 'b']));
    expect(trailOf(result)).toEqual(['SKIPPED a local_refusal', 'FIRST b auth', 'FAILOVER a ok']);
    expect(result.elapsedMs).toBeGreaterThanOrEqual(5_000);
  });

  it('has its turn though it became free while another was being asked, and no repeats are left', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b'], { retry: { maxRepeats: 0 } });
    upstream.script('a', fails('rate_limit', { retryAfterMs: 5_000 }, 0), answer(10, 'free again'));
    upstream.always('b', fails('overload', {}, 8_000));
    await run(['a']);
    const result = successOf(await run(['a', 'b']));
    expect(trailOf(result)).toEqual(['SKIPPED a local_refusal', 'FIRST b overload', 'FAILOVER a ok']);
  });

  it('waits for its turn without growing impatient: the waits behind it begin at their first ceiling', async () => {
    const { run, upstream } = createEngineHarness(['a'], { retry: { maxRepeats: 1 } });
    upstream.script('a', fails('rate_limit', { retryAfterMs: 5_000 }, 0), fails('overload', {}, 0), answer(1, 'there'));
    await run(['a'], { timeoutMs: 1_000 });
    const result = successOf(await run(['a']));
    expect(result.attempts.map(({ kind }) => kind)).toEqual(['SKIPPED', 'FIRST', 'RETRY']);
    expect(result.attempts[2]?.waitBeforeMs).toBe(1_000);
  });

  it('has its turn before any other has its second', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b'], { retry: { order: 'NEXT_FIRST' } });
    upstream.script('b', fails('rate_limit', { retryAfterMs: 500 }, 0), answer(10, 'free again'));
    await run(['b'], { timeoutMs: 500 });
    upstream.always('a', fails('overload', {}, 0));
    const result = successOf(await run(['a', 'b']));
    expect(trailOf(result)).toEqual(['FIRST a overload', 'SKIPPED b local_refusal', 'FAILOVER b ok']);
  });
});

describe('x-should-retry: false', () => {
  it('keeps the target from being asked again in this request', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.always('a', fails('rate_limit', { retryAfterMs: 100, repeatIsUseless: true }));
    upstream.always('b', fails('overload'));
    await run(['a', 'b']);
    expect(upstream.openedAt('a')).toHaveLength(1);
    expect(upstream.openedAt('b')).toHaveLength(5);
  });
});
