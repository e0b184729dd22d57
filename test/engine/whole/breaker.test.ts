import { describe, expect, it } from 'vitest';

import { createEngineHarness, failureOf, successOf, trailOf } from '../../support/engine-harness.ts';
import { answer, fails } from '../../support/upstream-scripts.ts';
import { withOpenCircuit } from '../target/open-circuit.ts';

describe('five failures', () => {
  it('open the circuit; health shows it; 5 s later exactly one probe closes it while others are refused at once', async () => {
    const { ask, run, runtime, upstream, health } = await withOpenCircuit();
    expect(health('a')).toMatchObject({
      circuit: 'OPEN',
      available: false,
      circuits: [{ model: 'a-model', state: 'OPEN', reopensInMs: 5_000 }],
      successRate: 0,
      failures: 5,
      lastError: 'PROVIDER_UNAVAILABLE',
    });
    upstream.always('b', answer(10, 'from b'));
    await runtime.advance(4_989);
    expect(trailOf(await run(['a', 'b']))).toEqual(['SKIPPED a local_refusal', 'FIRST b ok']);
    await runtime.advance(1);
    upstream.script('a', answer(300, 'well again'));
    const probe = ask(['a', 'b']);
    const others = Array.from({ length: 10 }, () => ask(['a', 'b']));
    await runtime.settle();
    expect(health('a')).toMatchObject({ circuit: 'HALF_OPEN', inFlight: 1 });
    expect(health('a').circuits[0]?.reopensInMs).toBeUndefined();
    await runtime.advance(10);
    for (const other of others) {
      expect(successOf(await other.result)).toMatchObject({ serving: { target: 'b' }, elapsedMs: 10 });
    }
    await runtime.advance(290);
    expect(trailOf(await probe.result)).toEqual(['PROBE a ok']);
    expect(health('a')).toMatchObject({ circuit: 'CLOSED', available: true });
    upstream.script('a', answer(10, 'as always'));
    expect(trailOf(await run(['a']))).toEqual(['FIRST a ok']);
    expect(upstream.openedAt('a')).toHaveLength(7);
  });

  it('end the repeats of the other requests, of which few go on ahead of its time', async () => {
    const { ask, runtime, upstream } = createEngineHarness(['a']);
    upstream.always('a', fails('overload', {}, 0));
    const requests = Array.from({ length: 5 }, () => ask(['a']));
    await runtime.advance(30_000);
    for (const { result } of requests) {
      expect(failureOf(await result)).toMatchObject({ status: 'UNAVAILABLE', reason: 'ALL_PROVIDERS_FAILED' });
    }
    expect(upstream.calls.length).toBeLessThanOrEqual(5 + 5 + 30 / 10 + 3);
    expect(runtime.pendingTimers()).toBe(0);
  });

  it('that are rate limits open nothing', async () => {
    const { run, runtime, upstream, health } = createEngineHarness(['a'], { retry: { maxRepeats: 0 } });
    upstream.always('a', fails('rate_limit'));
    for (let index = 0; index < 20; index++) {
      await run(['a']);
      await runtime.advance(2_000);
    }
    expect(health('a')).toMatchObject({ circuit: 'CLOSED', successRate: undefined, failures: 0, requests: 20 });
  });
});

describe('breaker-idle-forgets', () => {
  it('failures before an idle hour do not count', async () => {
    const { run, runtime, upstream, health } = createEngineHarness(['a'], { retry: { maxRepeats: 0 } });
    upstream.always('a', fails('overload'));
    for (let index = 0; index < 4; index++) await run(['a']);
    await runtime.advance(3_600_000);
    for (let index = 0; index < 4; index++) await run(['a']);
    expect(health('a')).toMatchObject({ circuit: 'CLOSED', successRate: 0 });
  });
});

describe('breaker-late-success-ignored, breaker-late-failure-ignored', () => {
  it('a call that began before the circuit opened changes nothing when it ends', async () => {
    const { ask, run, runtime, upstream, health } = createEngineHarness(['a'], { retry: { maxRepeats: 0 } });
    upstream.script('a', answer(10_000, 'late'), fails('overload', {}, 11_000));
    const late = [ask(['a']), ask(['a'])];
    for (let index = 0; index < 5; index++) upstream.script('a', fails('overload', {}, 0));
    await runtime.settle();
    for (let index = 0; index < 5; index++) await run(['a']);
    await runtime.advance(12_000);
    expect((await Promise.all(late.map(({ result }) => result))).map(({ ok }) => ok)).toEqual([true, false]);
    expect(health('a')).toMatchObject({ circuit: 'OPEN', failures: 6, requests: 7 });
    expect(health('a').circuits[0]?.reopensInMs).toBe(0);
  });
});

describe('a circuit that opened with a Retry-After', () => {
  it('stays open for as long as the provider asked', async () => {
    const { run, runtime, upstream, health } = createEngineHarness(['a'], { retry: { maxRepeats: 0 } });
    for (let index = 0; index < 4; index++) upstream.script('a', fails('overload', {}, 0));
    upstream.script('a', fails('overload', { retryAfterMs: 120_000 }, 0));
    for (let index = 0; index < 5; index++) await run(['a']);
    expect(health('a').circuits[0]?.reopensInMs).toBe(120_000);
    await runtime.advance(119_999);
    expect((await run(['a'])).attempts[0]?.kind).toBe('SKIPPED');
  });
});
