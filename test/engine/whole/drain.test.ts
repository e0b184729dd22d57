import { describe, expect, it, vi } from 'vitest';

import { createEngineHarness, failureOf, successOf, trailOf } from '../../support/engine-harness.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import { after, answer, breaksAfter, END, fails, output, terminal } from '../../support/upstream-scripts.ts';

const GOING_DOWN = { status: 'UNAVAILABLE', reason: 'SHUTTING_DOWN', contacted: false };

describe('an engine that goes down', () => {
  it('refuses what is new, and flushes its queue in the same turn', async () => {
    const { ask, engine, runtime, upstream } = createEngineHarness(['a'], { admission: { maxActive: 1 } });
    upstream.always('a', answer(100, 'hello'));
    const first = ask(['a']);
    const queued = [ask(['a']), ask(['a'])];
    await runtime.advance(50);
    engine.drain();
    for (const { result } of queued) expect(failureOf(await result)).toMatchObject(GOING_DOWN);
    expect(failureOf(await ask(['a']).result)).toMatchObject(GOING_DOWN);
    expect(runtime.now()).toBe(50);
    await runtime.runUntilIdle();
    expect(successOf(await first.result).elapsedMs).toBe(100);
    expect(upstream.calls).toEqual(['a']);
  });

  it('lets an answer under way run to its end', async () => {
    const { ask, engine, runtime, upstream } = createEngineHarness(['a']);
    upstream.script('a', [after(10, output('he')), after(20_000, output('llo')), after(0, terminal()), after(0, END)]);
    const client = new RecordingClient(runtime);
    const { result } = ask(['a'], { client });
    await runtime.advance(1_000);
    engine.drain();
    await runtime.runUntilIdle();
    expect((await result).ok).toBe(true);
    expect(client.text).toBe('hello');
  });

  it('still passes a failed call on to the next target, and repeats nothing', async () => {
    const { ask, engine, runtime, upstream } = createEngineHarness(['a', 'b', 'c']);
    upstream.always('a', fails('overload', {}, 100));
    upstream.always('b', fails('stale_socket', {}, 100));
    upstream.always('c', fails('reset', {}, 100));
    const { result } = ask(['a', 'b', 'c']);
    await runtime.advance(50);
    engine.drain();
    await runtime.runUntilIdle();
    const ended = await result;
    expect(trailOf(ended)).toEqual(['FIRST a overload', 'FAILOVER b stale_socket', 'FAILOVER c reset']);
    expect(ended.elapsedMs).toBe(300);
    expect(failureOf(ended)).toMatchObject({ reason: 'ALL_PROVIDERS_FAILED', contacted: true });
  });

  it.each(['SAME_THEN_NEXT', 'NEXT_FIRST', 'EXHAUST_FIRST'] as const)(
    'ends the wait before a repeat or a round at once (%s)',
    async (order) => {
      const { ask, engine, runtime, upstream } = createEngineHarness(['a'], { retry: { order } });
      upstream.always('a', fails('overload', {}, 100));
      const { result } = ask(['a']);
      await runtime.advance(200);
      expect(runtime.pendingTimers()).toBe(1);
      engine.drain();
      const ended = await result;
      expect(ended.elapsedMs).toBe(200);
      expect(trailOf(ended)).toEqual(['FIRST a overload']);
      expect(runtime.pendingTimers()).toBe(0);
    },
  );

  it('sends a request away that has only waited: it may go elsewhere', async () => {
    const { ask, engine, run, runtime, upstream } = createEngineHarness(['a'], { retry: { maxRepeats: 0 } });
    upstream.script('a', fails('rate_limit', { retryAfterMs: 5_000 }));
    await run(['a']);
    const { result } = ask(['a']);
    await runtime.advance(1_000);
    engine.drain();
    const ended = await result;
    expect(failureOf(ended)).toMatchObject(GOING_DOWN);
    expect(ended.elapsedMs).toBe(1_000);
    expect(runtime.pendingTimers()).toBe(0);
  });

  it('begins no stream anew', async () => {
    const { ask, engine, runtime, upstream } = createEngineHarness(['a', 'b']);
    upstream.always('a', breaksAfter(['half'], 'reset', 100));
    upstream.always('b', answer(10, 'whole'));
    const { result } = ask(['a', 'b'], { client: new RecordingClient(runtime), recovery: 'RESTART' });
    await runtime.advance(250);
    engine.drain();
    await runtime.runUntilIdle();
    expect(failureOf(await result)).toMatchObject({ status: 'ABORTED', reason: 'STREAM_INTERRUPTED' });
    expect(upstream.calls).toEqual(['a']);
  });
});

describe('an engine that repeats nothing any more, but is not closed', () => {
  it('takes a request that was on its way, and passes it on, but repeats nothing', async () => {
    const { engine, run, runtime, upstream } = createEngineHarness(['a', 'b', 'c']);
    upstream.always('a', fails('overload', {}, 100));
    upstream.always('b', answer(100, 'hello'));
    upstream.always('c', fails('reset', {}, 100));
    engine.repeatNothing();
    const passedOn = await run(['a', 'b']);
    expect(successOf(passedOn).elapsedMs).toBe(200);
    expect(trailOf(passedOn)).toEqual(['FIRST a overload', 'FAILOVER b ok']);
    expect(trailOf(await run(['c']))).toEqual(['FIRST c reset']);
    expect(runtime.pendingTimers()).toBe(0);
  });

  it('keeps its queue, until it is closed', async () => {
    const { ask, engine, runtime, upstream } = createEngineHarness(['a'], { admission: { maxActive: 1 } });
    upstream.always('a', answer(100, 'hello'));
    const first = ask(['a']);
    const next = ask(['a']);
    const last = ask(['a']);
    await runtime.advance(50);
    engine.repeatNothing();
    await runtime.advance(100);
    expect(first.settled()?.ok).toBe(true);
    engine.drain();
    expect(failureOf(await last.result)).toMatchObject(GOING_DOWN);
    await runtime.runUntilIdle();
    expect(next.settled()).toMatchObject({ ok: true, elapsedMs: 200 });
    expect(failureOf(await ask(['a']).result)).toMatchObject(GOING_DOWN);
  });

  it('begins nothing with a slot that was given away in the turn in which it closes', async () => {
    const { ask, engine, runtime, upstream } = createEngineHarness(['a'], { admission: { maxActive: 1 } });
    upstream.always('a', answer(100, 'hello'));
    const { signal } = new AbortController();
    // The last thing that a request does with its signal, in the turn in which it gives its slot away.
    vi.spyOn(signal, 'removeEventListener').mockImplementation(() => engine.drain());
    const first = ask(['a'], { signal });
    const { result } = ask(['a']);
    await runtime.runUntilIdle();
    expect((await first.result).ok).toBe(true);
    expect(failureOf(await result)).toMatchObject(GOING_DOWN);
    expect(upstream.calls).toEqual(['a']);
  });

  it('sends a request away that would only wait: it may go elsewhere', async () => {
    const { engine, run, upstream } = createEngineHarness(['a'], { retry: { maxRepeats: 0 } });
    upstream.script('a', fails('rate_limit', { retryAfterMs: 5_000 }));
    await run(['a']);
    engine.repeatNothing();
    const ended = await run(['a']);
    expect(failureOf(ended)).toMatchObject(GOING_DOWN);
    expect(ended.elapsedMs).toBe(0);
  });
});
