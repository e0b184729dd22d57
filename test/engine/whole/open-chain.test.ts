import { describe, expect, it } from 'vitest';

import type { EngineHarness } from '../../support/engine-harness.ts';
import { createEngineHarness, failureOf, successOf, trailOf } from '../../support/engine-harness.ts';
import { answer, failure, fails, SILENCE } from '../../support/upstream-scripts.ts';
import { withOpenCircuit } from '../target/open-circuit.ts';

/** A request that has no time to wait. */
const IN_A_HURRY = { timeoutMs: 500 };

/** Both circuits open since time 0, and nothing left to go ahead of their time. */
async function spent(): Promise<EngineHarness> {
  const harness = await withOpenCircuit();
  const { run, upstream } = harness;
  for (const target of ['a', 'b']) upstream.always(target, fails('overload', {}, 0));
  for (let index = 0; index < 5; index++) await run(['b'], IN_A_HURRY);
  for (let index = 0; index < 5; index++) for (const target of ['a', 'b']) await run([target], IN_A_HURRY);
  return harness;
}

describe('a chain of which every circuit is open', () => {
  it('asks the one that has failed least, ahead of its time, and is served by it', async () => {
    const { run, runtime, upstream } = createEngineHarness(['a', 'b'], { retry: { maxRepeats: 0 } });
    upstream.always('b', answer(0, 'well'));
    await run(['b']);
    await runtime.advance(1);
    for (const target of ['a', 'b']) {
      upstream.always(target, fails('overload', {}, 0));
      for (let index = 0; index < 5; index++) await run([target]);
    }
    upstream.always('b', answer(10, 'again'));
    const result = await run(['a', 'b']);
    expect(trailOf(result)).toEqual(['SKIPPED a local_refusal', 'SKIPPED b local_refusal', 'PROBE b ok']);
    expect(result.elapsedMs).toBe(10);
  });

  it('asks the first of those that have all failed', async () => {
    const { run, upstream } = await withOpenCircuit();
    upstream.always('b', fails('overload', {}, 0));
    for (let index = 0; index < 5; index++) await run(['b']);
    upstream.always('a', answer(10, 'back'));
    expect(trailOf(await run(['a', 'b'])).at(-1)).toBe('PROBE a ok');
  });

  it('never asks ahead of its time while a target is left that could be asked', async () => {
    const { run, upstream } = await withOpenCircuit();
    upstream.always('b', answer(10, 'from b'));
    for (let index = 0; index < 20; index++) await run(['a', 'b']);
    expect(upstream.openedAt('a')).toHaveLength(5);
  });

  it('asks nobody whom an operator, a suspension or a cooldown keeps away', async () => {
    const { engine, run, upstream } = await withOpenCircuit(['a']);
    engine.force('a', 'OPEN');
    const result = await run(['a']);
    expect(failureOf(result)).toMatchObject({ reason: 'CIRCUIT_OPEN', retryAfterMs: 60_000 });
    expect(result.elapsedMs).toBe(0);
    expect(upstream.openedAt('a')).toHaveLength(5);
  });
});

describe('a request for which nothing is left but open circuits', () => {
  it('waits while the outage is young, and is served as soon as one of them is back', async () => {
    const { ask, runtime, upstream } = await spent();
    const { result, settled } = ask(['a', 'b']);
    await runtime.advance(4_000);
    expect(settled()).toBeUndefined();
    upstream.always('a', answer(10, 'back'));
    await runtime.advance(8_000);
    expect(successOf(await result).serving.target).toBe('a');
  });

  it('is told at once in an old outage, with the time until the first may be asked, and may repeat', async () => {
    const { run, runtime, upstream } = await spent();
    for (const target of ['a', 'b']) upstream.always(target, fails('overload', {}, 0));
    // Probes and calls ahead of their time fail for more than a minute.
    for (let second = 0; second < 70; second++) {
      await runtime.advance(1_000);
      for (let call = 0; call < 3; call++) await run(['a', 'b'], IN_A_HURRY);
    }
    const result = await run(['a', 'b']);
    expect(failureOf(result)).toMatchObject({ status: 'UNAVAILABLE', reason: 'CIRCUIT_OPEN', contacted: false });
    expect(failureOf(result).retryAfterMs).toBeGreaterThan(0);
    expect(result.elapsedMs).toBe(0);
    expect(trailOf(result)).toEqual(['SKIPPED a local_refusal', 'SKIPPED b local_refusal']);
  });

  it('does not wait where half of the slots are taken', async () => {
    const { ask, engine, run, runtime, upstream } = createEngineHarness(['a', 'b'], {
      retry: { maxRepeats: 0 },
      admission: { maxActive: 2, maxShare: 100 },
    });
    upstream.always('a', fails('overload', {}, 0));
    for (let index = 0; index < 10; index++) await run(['a']);
    upstream.always('b', SILENCE);
    const other = ask(['b']);
    await runtime.settle();
    expect(engine.load.active).toBe(1);
    const result = await run(['a']);
    expect(failureOf(result).reason).toBe('CIRCUIT_OPEN');
    expect(result.elapsedMs).toBe(0);
    other.cancel();
    await other.result;
  });

  it('does not wait where the deadline is too near', async () => {
    const { run } = await spent();
    const result = await run(['a', 'b'], { timeoutMs: 1_200 });
    expect(failureOf(result).reason).toBe('CIRCUIT_OPEN');
    expect(result.elapsedMs).toBe(0);
  });

  it('does not wait, nor ask ahead of its time, when the engine goes down', async () => {
    const { ask, engine, runtime } = await spent();
    const { result } = ask(['a', 'b']);
    await runtime.advance(10);
    engine.drain();
    expect(failureOf(await result).reason).toBe('SHUTTING_DOWN');
    expect(runtime.pendingTimers()).toBe(0);
  });

  it('ends its wait with its cancel, in the same turn', async () => {
    const { ask, runtime } = await spent();
    const { cancel, result } = ask(['a', 'b']);
    await runtime.advance(10);
    cancel();
    expect(failureOf(await result).reason).toBe('CANCELLED');
    expect(runtime.pendingTimers()).toBe(0);
  });

  it('does not count targets that could never take it, in the time that it is told', async () => {
    const { engine, run, upstream } = await withOpenCircuit();
    engine.force('a', 'OPEN');
    const result = await run(['b', 'a'], {
      prepare: (entry) => (entry.target === 'b' ? failure('capability') : upstream.prepare(entry)),
    });
    expect(failureOf(result)).toMatchObject({ reason: 'CIRCUIT_OPEN', retryAfterMs: 60_000 });
  });
});

describe('calls that an open circuit lets through', () => {
  it('are no complaint about too many calls', async () => {
    const { ask, run, runtime, upstream } = await withOpenCircuit(['a']);
    await runtime.advance(60_000);
    upstream.script('a', fails('overload', { httpStatus: 503 }, 0), answer(10, 'back'));
    await run(['a'], IN_A_HURRY);
    await run(['a']);
    upstream.always('a', answer(10, 'well'));
    const crowd = Array.from({ length: 20 }, () => ask(['a']));
    await runtime.advance(10);
    expect(crowd.map(({ settled }) => settled()?.ok)).toEqual(crowd.map(() => true));
  });
});
