import { describe, expect, it } from 'vitest';

import { createEngineHarness, failureOf, successOf, trailOf } from '../../support/engine-harness.ts';
import type { Script } from '../../support/upstream-scripts.ts';
import { after, answer, breaksAfter, END, fails, output, SILENCE, terminal } from '../../support/upstream-scripts.ts';

/** A whole answer is wanted, the upstream call streams. */
const UNARY = { timing: { streams: true } };

/** An answer that takes its time: a piece every so many milliseconds. */
function slow(everyMs: number, ...texts: readonly string[]): Script {
  return [...texts.map((text) => after(everyMs, output(text))), after(everyMs, terminal()), after(0, END)];
}

describe('a whole answer from an upstream that streams', () => {
  it('is put together from its pieces', async () => {
    const { run, upstream } = createEngineHarness(['a']);
    upstream.script('a', answer(10, 'one ', 'two'));
    const result = successOf(await run(['a'], UNARY));
    expect(result).toMatchObject({ outputs: ['one ', 'two'], final: 'stop' });
    expect(result.attempts[0]?.firstOutputMs).toBe(10);
  });

  it('is not cut by its slice once output shows: only by its idle timer and the deadline', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('a', slow(6_000, 'one ', 'two ', 'three '));
    const result = successOf(await run(['a', 'b'], { ...UNARY, timeoutMs: 25_000 }));
    expect(trailOf(result)).toEqual(['FIRST a ok']);
    expect(result.attempts[0]?.sliceMs).toBeLessThan(15_000);
    expect(result.elapsedMs).toBe(24_000);
  });

  it('is cut by its slice while no output shows', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('a', slow(12_400, 'too late'));
    upstream.script('b', answer(10, 'in time'));
    const result = successOf(await run(['a', 'b'], { ...UNARY, timeoutMs: 20_000 }));
    expect(trailOf(result)).toEqual(['FIRST a cut_short', 'FAILOVER b ok']);
  });

  it('ends at the deadline, and half of it is no answer', async () => {
    const { run, upstream, runtime } = createEngineHarness(['a']);
    upstream.script('a', slow(4_000, 'one ', 'two ', 'three '));
    const result = await run(['a'], { ...UNARY, timeoutMs: 10_000 });
    expect(failureOf(result)).toMatchObject({ status: 'DEADLINE_EXCEEDED', reason: 'DEADLINE' });
    expect(result.attempts).toMatchObject([{ outputBytes: 8 }]);
    expect(upstream.openCalls()).toBe(0);
    expect(runtime.pendingTimers()).toBe(0);
  });
});

describe('an answer that breaks off before any of it was passed on', () => {
  it('is thrown away, and the next target starts afresh; what it cost stays in the trail', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b', 'c']);
    upstream.script('a', breaksAfter(['half '], 'reset'));
    upstream.script('b', [after(10, output('another half')), after(0, END)]);
    upstream.script('c', answer(10, 'whole'));
    const result = successOf(await run(['a', 'b', 'c'], UNARY));
    expect(result.outputs).toEqual(['whole']);
    expect(trailOf(result)).toEqual(['FIRST a reset', 'FAILOVER b reset', 'FAILOVER c ok']);
    expect(result.attempts.map(({ outputBytes }) => outputBytes)).toEqual([5, 12, 5]);
  });

  it('counts as a failover, not as a repeat: the budget for restarts is not asked', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b'], { circuitBreaker: { failures: 100 } });
    upstream.always('a', breaksAfter(['half '], 'overload'));
    upstream.always('b', answer(10, 'whole'));
    for (let index = 0; index < 20; index++) expect((await run(['a', 'b'], UNARY)).ok).toBe(true);
    expect(upstream.openedAt('a')).toHaveLength(20);
  });

  it('is followed by the same target in a later round where there is no other', async () => {
    const { run, upstream } = createEngineHarness(['a']);
    upstream.script('a', breaksAfter(['half '], 'reset'), answer(10, 'whole'));
    const result = successOf(await run(['a'], UNARY));
    expect(trailOf(result)).toEqual(['FIRST a reset', 'RETRY a ok']);
    expect(result.outputs).toEqual(['whole']);
  });

  it('that stalls is given up after the idle timer', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('a', [after(10, output('half'))]);
    upstream.script('b', answer(10, 'whole'));
    const result = successOf(await run(['a', 'b'], UNARY));
    expect(trailOf(result)).toEqual(['FIRST a silence', 'FAILOVER b ok']);
    expect(result.elapsedMs).toBe(30_020);
  });

  it('ends the request where no repeat remains', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b'], { retry: { maxRepeats: 0 } });
    upstream.script('a', breaksAfter(['half '], 'reset'));
    const result = await run(['a', 'b'], UNARY);
    expect(failureOf(result)).toMatchObject({ status: 'UNAVAILABLE', reason: 'ALL_PROVIDERS_FAILED', contacted: true });
    expect(upstream.calls).toEqual(['a']);
  });

  it('is followed by no target that has too little time for a whole answer', async () => {
    const { run, upstream, runtime } = createEngineHarness(['a', 'b', 'c']);
    const takes = answer(2_000, 'quick');
    for (let index = 0; index < 3; index++) {
      upstream.script('c', takes);
      await run(['c'], UNARY);
    }
    upstream.script('a', [after(10, output('half')), after(4_990, END)]);
    upstream.script('b', SILENCE);
    upstream.script('c', answer(2_000, 'whole'));
    const startedAtMs = runtime.now();
    // 9.5 s are left when the answer breaks off: too little for `b`, of which nothing is known, enough for `c`.
    const result = successOf(await run(['a', 'b', 'c'], { ...UNARY, timeoutMs: 14_550 }));
    expect(trailOf(result)).toEqual(['FIRST a reset', 'SKIPPED b local_refusal', 'FAILOVER c ok']);
    expect(runtime.now() - startedAtMs).toBe(7_000);
  });

  it('ends the request at once where no target has the time', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('a', [after(10, output('half')), after(13_490, END)]);
    upstream.always('b', fails('overload'));
    const result = await run(['a', 'b'], { ...UNARY, timeoutMs: 15_000 });
    expect(failureOf(result).reason).toBe('ALL_PROVIDERS_FAILED');
    expect(result.elapsedMs).toBeLessThan(13_600);
    expect(upstream.calls).toEqual(['a']);
  });

  it('is passed on to nobody where the caller is gone', async () => {
    const { ask, upstream, runtime } = createEngineHarness(['a', 'b']);
    upstream.script('a', [after(10, output('half'))]);
    const { cancel, settled } = ask(['a', 'b'], UNARY);
    await runtime.advance(20);
    cancel();
    await runtime.settle();
    expect(settled()).toMatchObject({ ok: false, failure: { reason: 'CANCELLED' } });
    expect(upstream.calls).toEqual(['a']);
    expect(upstream.openCalls()).toBe(0);
  });
});
