import { getEventListeners } from 'node:events';

import { describe, expect, it } from 'vitest';

import { createEngineHarness, failureOf, successOf } from '../../support/engine-harness.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import { after, answer, END, output, terminal } from '../../support/upstream-scripts.ts';

describe('a full engine', () => {
  it('lets a request wait for the slot of another, in time that counts as its own', async () => {
    const { ask, runtime, upstream } = createEngineHarness(['a'], { admission: { maxActive: 1 } });
    upstream.always('a', answer(400, 'hello'));
    const first = ask(['a']);
    const second = ask(['a'], { timeoutMs: 10_000 });
    await runtime.runUntilIdle();
    expect(await first.result).toMatchObject({ ok: true, elapsedMs: 400 });
    expect((await first.result).slotWaitMs).toBeUndefined();
    expect(await second.result).toMatchObject({ ok: true, elapsedMs: 800, slotWaitMs: 400 });
    expect(upstream.openedAt('a')).toEqual([0, 400]);
  });

  it('refuses after the wait, without contact, and says when to come again', async () => {
    const { ask, runtime, upstream } = createEngineHarness(['a'], { admission: { maxActive: 1 } });
    upstream.always('a', answer(5_000, 'hello'));
    const first = ask(['a']);
    const second = ask(['a'], { timeoutMs: 5_000 });
    await runtime.runUntilIdle();
    expect(successOf(await first.result).elapsedMs).toBe(5_000);
    const refused = await second.result;
    expect(failureOf(refused)).toMatchObject({
      status: 'UNAVAILABLE',
      reason: 'OVERLOADED',
      retryAfterMs: 1_000,
      contacted: false,
    });
    expect(refused).toMatchObject({ attempts: [], elapsedMs: 490, slotWaitMs: 490 });
    expect(upstream.calls).toEqual(['a']);
  });

  it('forgets a queued request in the turn in which its caller cancels', async () => {
    const { ask, run, runtime, upstream } = createEngineHarness(['a'], { admission: { maxActive: 1, maxQueued: 1 } });
    upstream.always('a', answer(100, 'hello'));
    const first = ask(['a']);
    const second = ask(['a']);
    await runtime.advance(50);
    second.cancel();
    const third = ask(['a']);
    expect(failureOf(await second.result)).toMatchObject({ status: 'CANCELLED', contacted: false });
    await runtime.runUntilIdle();
    expect([await first.result, await third.result].map(({ ok }) => ok)).toEqual([true, true]);
    expect(upstream.calls).toHaveLength(2);
    expect((await run(['a'])).ok).toBe(true);
  });

  it('gives the slot back whatever the end: success, failure, cancel, deadline, a fault of ours', async () => {
    const { ask, run, runtime, upstream } = createEngineHarness(['a'], { admission: { maxActive: 1, maxQueued: 0 } });
    upstream.script('a', [], [], answer(10, 'hello'));
    const cancelled = ask(['a']);
    cancelled.cancel();
    await cancelled.result;
    expect(failureOf(await run(['a'], { timeoutMs: 100 })).status).toBe('DEADLINE_EXCEEDED');
    expect(failureOf(await run(['unknown'])).status).toBe('INTERNAL');
    expect(failureOf(await run([])).reason).toBe('NO_PROVIDER_CONFIGURED');
    expect((await run(['a'])).ok).toBe(true);
    expect(runtime.pendingTimers()).toBe(0);
  });

  it('leaves no listener behind on the signal of a request that waited', async () => {
    const { engine, runtime, upstream } = createEngineHarness(['a'], { admission: { maxActive: 1 } });
    upstream.always('a', answer(100, 'hello'));
    const { signal } = new AbortController();
    const entry = { target: 'a', provider: 'a', model: 'm', circuit: 'm', modelNamedByCaller: false };
    const call = { chain: [entry], signal, prepare: () => upstream.prepare(entry) };
    const results = [engine.run(call), engine.run(call)];
    await runtime.runUntilIdle();
    expect((await Promise.all(results)).map(({ ok }) => ok)).toEqual([true, true]);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});

describe('an overloaded process', () => {
  it('refuses what is new and never what is under way', async () => {
    const load = { isOverloaded: false };
    const { ask, run, runtime, upstream } = createEngineHarness(['a'], { isOverloaded: () => load.isOverloaded });
    upstream.script('a', [after(10, output('he')), after(5_000, output('llo')), after(0, terminal()), after(0, END)]);
    const client = new RecordingClient(runtime);
    const stream = ask(['a'], { client });
    await runtime.advance(100);
    load.isOverloaded = true;
    expect(failureOf(await run(['a']))).toMatchObject({ status: 'UNAVAILABLE', reason: 'OVERLOADED' });
    await runtime.runUntilIdle();
    expect((await stream.result).ok).toBe(true);
    expect(client.text).toBe('hello');
    load.isOverloaded = false;
    upstream.script('a', answer(10, 'well again'));
    expect((await run(['a'])).ok).toBe(true);
  });
});
