import { describe, expect, it } from 'vitest';

import { createEngineHarness, entryOf, failureOf, trailOf } from '../../support/engine-harness.ts';
import { answer, fails, SILENCE } from '../../support/upstream-scripts.ts';
import { withOpenCircuit } from '../target/open-circuit.ts';

describe('a circuit that an operator holds open', () => {
  it.each(['OPEN', 'DISABLED'] as const)('lets nothing through, before its first call too (%s)', async (state) => {
    const { engine, run, runtime, upstream, health } = createEngineHarness(['a', 'b']);
    upstream.always('a', answer(10, 'from a'));
    upstream.always('b', answer(10, 'from b'));
    expect(engine.force('a', state)).toBe(true);
    await runtime.advance(600_000);
    expect(trailOf(await run(['a', 'b']))).toEqual(['SKIPPED a local_refusal', 'FIRST b ok']);
    expect(failureOf(await run(['a']))).toMatchObject({
      status: 'UNAVAILABLE',
      reason: 'CIRCUIT_OPEN',
      contacted: false,
      retryAfterMs: 60_000,
    });
    expect(upstream.openedAt('a')).toEqual([]);
    expect(health('a')).toMatchObject(
      state === 'OPEN'
        ? { available: false, circuit: 'OPEN', suspendedReason: 'forced' }
        : { available: false, circuit: 'CLOSED', suspendedReason: 'disabled' },
    );
    engine.force('a', 'AUTOMATIC');
    expect(trailOf(await run(['a', 'b']))).toEqual(['FIRST a ok']);
    expect(health('a')).toMatchObject({ available: true, circuit: 'CLOSED', suspendedReason: undefined });
  });

  it('is that of one model where one is named', async () => {
    const { engine, run, upstream, health } = createEngineHarness(['a']);
    upstream.always('a', answer(10, 'from a'));
    engine.force('a', 'OPEN', 'm');
    const model = (name: string) => entryOf('a', { model: name, circuit: name });
    expect(trailOf(await run([model('m'), model('n')]))).toEqual(['SKIPPED a local_refusal', 'FIRST a ok']);
    expect(health('a').circuits).toEqual(
      expect.arrayContaining([
        { model: 'm', state: 'OPEN', reopensInMs: undefined },
        { model: 'n', state: 'CLOSED', reopensInMs: undefined },
      ]),
    );
    expect(health('a')).toMatchObject({ available: true, circuit: 'OPEN', suspendedReason: 'forced' });
  });

  it('goes on where it stood when it is given back', async () => {
    const { engine, run, runtime, upstream, health } = await withOpenCircuit();
    engine.force('a', 'OPEN');
    await runtime.advance(2_000);
    expect(health('a').circuits[0]?.reopensInMs).toBeUndefined();
    engine.force('a', 'AUTOMATIC');
    expect(health('a').circuits[0]).toMatchObject({ state: 'OPEN', reopensInMs: 3_000 });
    await runtime.advance(3_000);
    upstream.script('a', answer(10, 'well'));
    expect(trailOf(await run(['a']))).toEqual(['PROBE a ok']);
  });
});

describe('a circuit that an operator holds closed', () => {
  it('lets every call through however many fail', async () => {
    const { engine, run, upstream, health } = createEngineHarness(['a'], { retry: { maxRepeats: 0 } });
    upstream.always('a', fails('overload', {}, 0));
    engine.force('a', 'CLOSED');
    for (let index = 0; index < 20; index++) await run(['a']);
    expect(upstream.openedAt('a')).toHaveLength(20);
    expect(health('a')).toMatchObject({ circuit: 'CLOSED', available: true, suspendedReason: 'forced', failures: 20 });
    engine.force('a', 'AUTOMATIC');
    expect(health('a').circuit).toBe('CLOSED');
    for (let index = 0; index < 5; index++) await run(['a']);
    expect(health('a').circuit).toBe('OPEN');
  });

  it('lets calls through that its breaker would refuse, and does not probe', async () => {
    const { engine, run, upstream } = await withOpenCircuit();
    upstream.always('a', answer(10, 'well'));
    engine.force('a', 'CLOSED');
    expect(trailOf(await run(['a']))).toEqual(['FIRST a ok']);
  });

  it('does not lift a rate limit', async () => {
    const { engine, run, upstream } = createEngineHarness(['a'], { retry: { maxRepeats: 0 } });
    upstream.script('a', fails('rate_limit', { retryAfterMs: 60_000 }));
    await run(['a']);
    engine.force('a', 'CLOSED');
    expect(failureOf(await run(['a'])).reason).toBe('PROVIDER_RATE_LIMITED');
  });
});

describe('a reset', () => {
  it('closes the circuit, and what is under way does not open it again', async () => {
    const { ask, engine, run, runtime, upstream, health } = createEngineHarness(['a'], { retry: { maxRepeats: 0 } });
    upstream.always('a', fails('overload', {}, 100));
    const asked = Array.from({ length: 9 }, () => ask(['a']));
    await runtime.advance(50);
    for (let index = 0; index < 4; index++) engine.reset('a');
    await runtime.runUntilIdle();
    for (const { settled } of asked) expect(settled()?.ok).toBe(false);
    expect(health('a')).toMatchObject({ circuit: 'CLOSED', failures: 9, inFlight: 0 });
    for (let index = 0; index < 5; index++) await run(['a']);
    expect(health('a').circuit).toBe('OPEN');
    engine.reset('a');
    expect(health('a')).toMatchObject({ circuit: 'CLOSED', available: true, failures: 14 });
  });

  it.each([
    ['a rate limit', fails('rate_limit', { retryAfterMs: 60_000 })],
    ['a refused key', fails('auth')],
    ['a used-up quota', fails('quota')],
    ['a missing model', fails('not_found')],
  ])('lifts %s, of the whole account', async (_what, script) => {
    const { engine, run, upstream, health } = createEngineHarness(['a', 'b'], {
      limitGroups: { a: 'account', b: 'account' },
      retry: { maxRepeats: 0 },
    });
    upstream.script('a', script);
    await run(['a']);
    expect(trailOf(await run(['a']))).toEqual(['SKIPPED a local_refusal']);
    engine.reset('b');
    upstream.always('a', answer(10, 'from a'));
    expect(trailOf(await run(['a']))).toEqual(['FIRST a ok']);
    expect(health('a')).toMatchObject({ available: true, suspendedReason: undefined, rateLimitedForMs: undefined });
  });

  it('suspects a target no more that was silent three times in a row', async () => {
    const { engine, run, upstream, health } = createEngineHarness(['a', 'b']);
    const asked = { timeoutMs: 2_000, timing: { streams: true } };
    upstream.always('a', answer(600, 'from a'));
    upstream.always('b', answer(10, 'from b'));
    for (let call = 0; call < 20; call++) await run(['a'], asked);
    upstream.always('a', SILENCE);
    for (let call = 0; call < 7; call++) await run(['a', 'b'], asked);
    expect(health('a')).toMatchObject({ circuit: 'OPEN', failures: 5 });
    engine.reset('a');
    expect(trailOf(await run(['a', 'b'], asked))).toEqual(['FIRST a cut_short', 'FAILOVER b ok']);
    expect(health('a')).toMatchObject({ circuit: 'CLOSED', failures: 5 });
  });

  it('takes an operator’s own wishes back', async () => {
    const { engine, run, upstream, health } = createEngineHarness(['a']);
    upstream.always('a', answer(10, 'from a'));
    engine.force('a', 'DISABLED');
    engine.reset('a');
    expect(health('a').suspendedReason).toBeUndefined();
    expect((await run(['a'])).ok).toBe(true);
  });
});

it('what an engine does not have cannot be forced or reset', () => {
  const { engine } = createEngineHarness(['a']);
  expect([engine.force('b', 'OPEN'), engine.reset('b')]).toEqual([false, false]);
});
