import { describe, expect, it } from 'vitest';

import type { FailureClass } from '../../../src/core/failure.ts';
import type { AskOptions, EngineHarness, HarnessOptions } from '../../support/engine-harness.ts';
import { createEngineHarness, failureOf, successOf, trailOf } from '../../support/engine-harness.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import type { Script } from '../../support/upstream-scripts.ts';
import { after, answer, breaksAfter, fails, output, SILENCE, startup } from '../../support/upstream-scripts.ts';

const BROKEN = breaksAfter(['half ', 'an ans'], 'reset');

interface Stage extends EngineHarness {
  readonly client: RecordingClient;
  readonly stream: (chain: readonly string[], options?: AskOptions) => ReturnType<EngineHarness['run']>;
}

/** A stage whose streams ask for RESTART. */
function stage(scripts: Readonly<Record<string, readonly Script[]>>, options: HarnessOptions = {}): Stage {
  const harness = createEngineHarness(Object.keys(scripts), options);
  for (const [target, list] of Object.entries(scripts)) harness.upstream.script(target, ...list);
  const client = new RecordingClient(harness.runtime);
  const stream: Stage['stream'] = (chain, asked) => harness.run(chain, { client, recovery: 'RESTART', ...asked });
  return { ...harness, client, stream };
}

function told({ notes }: RecordingClient): string[] {
  return notes.map((note) => {
    if (note.what === 'output') return note.text;
    return note.what === 'ping' ? 'ping' : `${note.what} ${note.serving.target}`;
  });
}

/** A stage whose first target breaks off every answer, and opens no circuit for it. */
function breakingStage() {
  const harness = createEngineHarness(['a', 'b', 'c'], { circuitBreaker: { failures: 1_000 } });
  const everybodyAsks = async (
    count: number,
    others: Readonly<Record<string, Script>>,
  ): Promise<readonly boolean[]> => {
    for (const [target, script] of Object.entries({ a: BROKEN, ...others })) harness.upstream.always(target, script);
    const outcomes: boolean[] = [];
    for (let index = 0; index < count; index++) {
      const client = new RecordingClient(harness.runtime);
      outcomes.push((await harness.run(['a', ...Object.keys(others)], { client, recovery: 'RESTART' })).ok);
    }
    return outcomes;
  };
  return { harness, everybodyAsks };
}

describe('a stream that breaks off and wants to begin anew', () => {
  it('is begun anew by the next target, which is told with its first output and not before', async () => {
    const { client, stream, runtime } = stage({
      a: [BROKEN],
      b: [[after(500, startup('b-2026')), ...answer(200, 'whole ', 'answer')]],
    });
    const result = successOf(await stream(['a', 'b']));
    expect(told(client)).toEqual(['started a', 'half ', 'an ans', 'restarted b', 'whole ', 'answer']);
    const restarted = client.notes.find(({ what }) => what === 'restarted');
    expect(restarted).toMatchObject({
      reason: 'PROVIDER_UNAVAILABLE',
      atMs: 740,
      serving: { number: 2, target: 'b', provider: 'b', model: 'b-2026', requestedModel: 'b-model' },
    });
    expect(result.serving).toMatchObject({ number: 2, target: 'b' });
    expect(trailOf(result)).toEqual(['FIRST a interrupted', 'RESTART b ok']);
    expect(runtime.pendingTimers()).toBe(0);
  });

  it('keeps the cost of both: what each has given is in the trail', async () => {
    const { stream } = stage({ a: [BROKEN], b: [answer(10, 'whole')] });
    const { attempts } = await stream(['a', 'b']);
    expect(attempts).toMatchObject([
      { outputBytes: 11, phase: 'FLOWING', failure: { reason: 'STREAM_INTERRUPTED' } },
      { outputBytes: 5, phase: 'TAIL' },
    ]);
  });

  it.each<FailureClass>(['reset', 'overload', 'protocol', 'rate_limit', 'stale_socket', 'quota'])(
    'does so whatever of the provider breaks it: %s',
    async (name) => {
      const { stream, client } = stage({ a: [breaksAfter(['half '], name)], b: [answer(10, 'whole')] });
      expect((await stream(['a', 'b'])).ok).toBe(true);
      expect(client.text).toBe('whole');
    },
  );

  it('does so when it stalls or ends without its marker', async () => {
    const stalls = stage({ a: [[after(10, output('half'))]], b: [answer(10, 'whole')] });
    expect((await stalls.stream(['a', 'b'])).ok).toBe(true);
    const events = told(stalls.client).filter((event) => event !== 'ping');
    expect(events).toEqual(['started a', 'half', 'restarted b', 'whole']);
    const cut = stage({ a: [[after(10, output('half')), after(0, { type: 'end' })]], b: [answer(10, 'whole')] });
    expect((await cut.stream(['a', 'b'])).ok).toBe(true);
  });

  it('stays on its target, after a wait, if there is no other', async () => {
    const { stream, client, upstream } = stage({ a: [BROKEN, answer(10, 'whole')] });
    const result = successOf(await stream(['a']));
    expect(trailOf(result)).toEqual(['FIRST a interrupted', 'RESTART a ok']);
    expect(upstream.openedAt('a')).toEqual([0, 1_040]);
    expect(client.text).toBe('whole');
  });

  it('comes back to its target only when the others have failed', async () => {
    const { stream, upstream } = stage({ a: [BROKEN, answer(10, 'whole')], b: [fails('auth')] });
    const result = successOf(await stream(['a', 'b']));
    expect(trailOf(result)).toEqual(['FIRST a interrupted', 'RESTART b auth', 'RETRY a ok']);
    expect(upstream.calls).toEqual(['a', 'b', 'a']);
  });

  it('goes by the class table until the new answer begins: repeats, failovers, and the caller hears of none', async () => {
    const { stream, client } = stage({
      a: [BROKEN],
      b: [fails('overload'), fails('overload')],
      c: [answer(10, 'whole')],
    });
    const result = successOf(await stream(['a', 'b', 'c']));
    expect(trailOf(result)).toEqual(['FIRST a interrupted', 'RESTART b overload', 'RETRY b overload', 'FAILOVER c ok']);
    expect(told(client)).toEqual(['started a', 'half ', 'an ans', 'restarted c', 'whole']);
  });

  it('may break off again, and begins anew as often as repeats remain', async () => {
    const { stream, client } = stage(
      { a: [BROKEN], b: [breaksAfter(['another '], 'overload')], c: [answer(10, 'whole')] },
      { retry: { maxRepeats: 2 } },
    );
    const result = successOf(await stream(['a', 'b', 'c']));
    expect(trailOf(result)).toEqual(['FIRST a interrupted', 'RESTART b interrupted', 'RESTART c ok']);
    expect(told(client)).toEqual(['started a', 'half ', 'an ans', 'restarted b', 'another ', 'restarted c', 'whole']);
  });
});

describe('a stream that breaks off ends with ABORTED', () => {
  const ABORTED = { status: 'ABORTED', reason: 'STREAM_INTERRUPTED', contacted: true };

  it('where the caller asks for nothing else', async () => {
    for (const asked of [{ recovery: 'FAIL' }, {}] as const) {
      const { run, upstream, client } = stage({ a: [BROKEN], b: [answer(10, 'whole')] });
      expect(failureOf(await run(['a', 'b'], { client, ...asked }))).toMatchObject(ABORTED);
      expect(upstream.calls).toEqual(['a']);
      expect(client.text).toBe('half an ans');
    }
  });

  it('where no repeat is left', async () => {
    const { stream, upstream } = stage({ a: [BROKEN], b: [answer(10, 'whole')] }, { retry: { maxRepeats: 0 } });
    expect(failureOf(await stream(['a', 'b']))).toMatchObject(ABORTED);
    expect(upstream.calls).toEqual(['a']);
  });

  it('where too little time is left for another attempt', async () => {
    const late = [after(10, output('half')), after(9_000, { type: 'end' } as const)];
    const { stream, upstream } = stage({ a: [late], b: [answer(10, 'whole')] });
    expect(failureOf(await stream(['a', 'b'], { timeoutMs: 10_000 }))).toMatchObject(ABORTED);
    expect(upstream.calls).toEqual(['a']);
  });

  it('where no target can give a new answer', async () => {
    const { stream, client } = stage({ a: [breaksAfter(['half'], 'quota')], b: [fails('auth')] });
    const result = await stream(['a', 'b']);
    expect(failureOf(result)).toMatchObject(ABORTED);
    expect(trailOf(result)).toEqual(['FIRST a interrupted', 'RESTART b auth']);
    expect(told(client)).toEqual(['started a', 'half']);
  });

  it('where the fault is ours', async () => {
    const { stream, upstream } = stage({ a: [breaksAfter(['half'], 'internal')], b: [answer(10, 'whole')] });
    expect(failureOf(await stream(['a', 'b']))).toMatchObject(ABORTED);
    expect(upstream.calls).toEqual(['a']);
  });

  it('where the restarts of its target are used up: five, and one more for every twenty requests', async () => {
    const { everybodyAsks } = breakingStage();
    const outcomes = await everybodyAsks(47, { b: BROKEN, c: answer(1, 'whole') });
    expect(outcomes.slice(0, 5)).toEqual([true, true, true, true, true]);
    expect(outcomes.filter(Boolean)).toHaveLength(7);
  });

  it('where the same target has completed them: it alone says nothing of others', async () => {
    const { harness } = breakingStage();
    const outcomes: boolean[] = [];
    for (let index = 0; index < 6; index++) {
      harness.upstream.script('a', BROKEN, answer(1, 'whole'));
      const client = new RecordingClient(harness.runtime);
      outcomes.push((await harness.run(['a'], { client, recovery: 'RESTART' })).ok);
      await harness.runtime.advance(60_000);
    }
    expect(outcomes).toEqual([true, true, true, true, true, false]);
  });
});

describe('a budget of restarts', () => {
  it('is given back what it paid as often as the other target completes them', async () => {
    const { everybodyAsks } = breakingStage();
    const outcomes = await everybodyAsks(100, { b: answer(1, 'whole') });
    expect(outcomes.every(Boolean)).toBe(true);
  });

  it('lets as many go on at a time as have helped, up to twenty', async () => {
    const { everybodyAsks, harness } = breakingStage();
    await everybodyAsks(20, { b: answer(1, 'whole') });
    const atOnce = Array.from({ length: 25 }, () =>
      harness.run(['a', 'b'], { client: new RecordingClient(harness.runtime), recovery: 'RESTART' }),
    );
    const results = await Promise.all(atOnce);
    expect(results.filter(({ ok }) => ok)).toHaveLength(20);
  });

  it('is given nothing back where the one that took its place was broken off too, and a third one completed it', async () => {
    const { everybodyAsks, harness } = breakingStage();
    await everybodyAsks(5, { b: BROKEN, c: answer(1, 'whole') });
    // What b paid for c is back, what a paid for b is not.
    expect(await everybodyAsks(1, { b: answer(1, 'whole') })).toEqual([false]);
    harness.upstream.script('b', BROKEN);
    harness.upstream.script('c', answer(1, 'whole'));
    expect(
      (await harness.run(['b', 'c'], { client: new RecordingClient(harness.runtime), recovery: 'RESTART' })).ok,
    ).toBe(true);
  });

  it('adds a twentieth and five at most to a day on which everything breaks', async () => {
    const { everybodyAsks, harness } = breakingStage();
    const outcomes = await everybodyAsks(200, { b: BROKEN, c: BROKEN });
    expect(outcomes.some(Boolean)).toBe(false);
    // Each of the two that may pay does so five times, and once more for every twenty of its visits.
    expect(harness.upstream.calls.length).toBeLessThan(200 * 1.1 + 2 * 5 + 5);
  });
});

describe('a stream is never begun anew', () => {
  it('for a caller that cancels', async () => {
    const { ask, client, runtime, upstream } = stage({ a: [[after(10, output('half'))]], b: [] });
    const { cancel, settled } = ask(['a', 'b'], { client, recovery: 'RESTART' });
    await runtime.advance(20);
    cancel();
    await runtime.settle();
    expect(settled()).toMatchObject({ ok: false, failure: { status: 'CANCELLED', reason: 'CANCELLED' } });
    expect(upstream.calls).toEqual(['a']);
  });

  it('for a caller that cancels between the two answers', async () => {
    const { ask, client, runtime, upstream } = stage({ a: [BROKEN], b: [SILENCE] });
    const { cancel, settled } = ask(['a', 'b'], { client, recovery: 'RESTART' });
    await runtime.advance(100);
    expect(upstream.calls).toEqual(['a', 'b']);
    cancel();
    await runtime.settle();
    expect(settled()).toMatchObject({ failure: { reason: 'CANCELLED' } });
    expect(upstream.openCalls()).toBe(0);
    expect(runtime.pendingTimers()).toBe(0);
  });

  it('for a caller that does not read', async () => {
    const { stream, client, upstream } = stage({ a: [[after(10, output('half')), after(1, output('more'))]], b: [] });
    client.takeOnly(1);
    expect(failureOf(await stream(['a', 'b']))).toMatchObject({ status: 'CANCELLED', reason: 'SLOW_READER' });
    expect(upstream.calls).toEqual(['a']);
  });

  it('at the deadline', async () => {
    const { stream, upstream } = stage({ a: [[after(10, output('half'))]], b: [] });
    const failure = failureOf(await stream(['a', 'b'], { timeoutMs: 20_000 }));
    expect(failure).toMatchObject({ status: 'DEADLINE_EXCEEDED', reason: 'DEADLINE' });
    expect(upstream.calls).toEqual(['a']);
  });

  it('behind its end marker', async () => {
    const { stream, upstream } = stage({ a: [[...answer(10, 'whole').slice(0, -1), ...fails('reset')]], b: [] });
    expect((await stream(['a', 'b'])).ok).toBe(true);
    expect(upstream.calls).toEqual(['a']);
  });
});
