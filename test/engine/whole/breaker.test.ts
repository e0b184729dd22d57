import { describe, expect, it } from 'vitest';

import { createEngineHarness, failureOf, successOf, trailOf } from '../../support/engine-harness.ts';
import { answer, failure, fails, SILENCE } from '../../support/upstream-scripts.ts';
import { withOpenCircuit } from '../target/open-circuit.ts';

describe('five failures', () => {
  it('open the circuit; health shows it; 30 s later exactly one probe closes it while others are refused at once', async () => {
    const { ask, run, runtime, upstream, health } = await withOpenCircuit();
    expect(health('a')).toMatchObject({
      circuit: 'OPEN',
      available: false,
      circuits: [{ model: 'a-model', state: 'OPEN', reopensInMs: 30_000 }],
      successRate: 0,
      failures: 5,
      lastError: 'PROVIDER_UNAVAILABLE',
    });
    await runtime.advance(29_999);
    expect(trailOf(await run(['a']))).toEqual(['SKIPPED a local_refusal']);
    await runtime.advance(1);
    upstream.script('a', answer(300, 'well again'));
    upstream.always('b', answer(10, 'from b'));
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

  it('end the repeats of the other requests', async () => {
    const { ask, runtime, upstream } = createEngineHarness(['a']);
    upstream.always('a', fails('overload', {}, 0));
    const requests = Array.from({ length: 5 }, () => ask(['a']));
    await runtime.advance(1_000);
    for (const { result } of requests) {
      expect(failureOf(await result)).toMatchObject({ status: 'UNAVAILABLE', reason: 'ALL_PROVIDERS_FAILED' });
    }
    expect(upstream.calls).toHaveLength(5);
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

describe('when every target is refused by its breaker', () => {
  it('the caller is told at once, with the time of the earliest reopening, and may repeat', async () => {
    const { run, runtime, upstream } = await withOpenCircuit();
    await runtime.advance(10_000);
    upstream.always('b', fails('overload', {}, 0));
    for (let index = 0; index < 5; index++) await run(['b']);
    const result = await run(['a', 'b']);
    expect(failureOf(result)).toEqual({
      status: 'UNAVAILABLE',
      reason: 'CIRCUIT_OPEN',
      message: expect.any(String),
      contacted: false,
      retryAfterMs: 20_000,
      field: undefined,
      cause: undefined,
    });
    expect(result.elapsedMs).toBe(0);
    expect(trailOf(result)).toEqual(['SKIPPED a local_refusal', 'SKIPPED b local_refusal']);
  });

  it('the time to the reopening does not count targets that could never take the request', async () => {
    const { run, upstream } = await withOpenCircuit();
    const result = await run(['b', 'a'], {
      prepare: (entry) => (entry.target === 'b' ? failure('capability') : upstream.prepare(entry)),
    });
    expect(failureOf(result)).toMatchObject({ reason: 'CIRCUIT_OPEN', retryAfterMs: 30_000 });
  });

  it('half-open-never-waits: also while the probe is under way', async () => {
    const { ask, run, runtime, upstream } = await withOpenCircuit(['a']);
    await runtime.advance(30_000);
    upstream.script('a', SILENCE);
    const probe = ask(['a']);
    await runtime.advance(100);
    const refused = await run(['a']);
    expect(failureOf(refused)).toMatchObject({ reason: 'CIRCUIT_OPEN', contacted: false, retryAfterMs: 1_000 });
    expect(refused.elapsedMs).toBe(0);
    probe.cancel();
    await probe.result;
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
    expect(health('a').circuits[0]?.reopensInMs).toBe(18_000);
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
