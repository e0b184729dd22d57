import { describe, expect, it } from 'vitest';

import { createEngineHarness, failureOf, successOf, trailOf } from '../../support/engine-harness.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import {
  after,
  answer,
  breaksAfter,
  END,
  failure,
  fails,
  output,
  SILENCE,
  terminal,
} from '../../support/upstream-scripts.ts';

const FIVE = ['a', 'b', 'c', 'd', 'e'];
/** A model that may think in silence for two minutes. */
const REASONING = { firstOutputMs: 120_000 };

describe('the deadline of a request', () => {
  it('is divided among five silent targets as 40, 10, 5, 2.5 and 2.5 s of 60, less the reserve', async () => {
    const { run, upstream, health } = createEngineHarness(FIVE);
    for (const target of FIVE) upstream.always(target, SILENCE);
    const result = await run(FIVE, { timeoutMs: 60_000, timing: REASONING });
    expect(result.attempts.map(({ sliceMs }) => sliceMs)).toEqual([39_350, 10_000, 5_000, 2_500, 2_500]);
    expect(result.attempts.map(({ durationMs }) => durationMs)).toEqual([39_350, 10_000, 5_000, 2_500, 2_500]);
    expect(result.elapsedMs).toBe(59_350);
    expect(failureOf(result)).toMatchObject({ status: 'DEADLINE_EXCEEDED', reason: 'DEADLINE', contacted: true });
    for (const target of FIVE) expect(health(target).failures).toBe(0);
    expect(upstream.openCalls()).toBe(0);
  });

  it('is left to the others where the first-output timer ends an attempt sooner', async () => {
    const { run, upstream } = createEngineHarness(FIVE);
    for (const target of FIVE) upstream.always(target, SILENCE);
    const result = await run(FIVE, { timeoutMs: 60_000 });
    expect(result.attempts.slice(0, 4).map(({ durationMs }) => durationMs)).toEqual([12_000, 12_000, 12_000, 12_000]);
    expect(result.elapsedMs).toBe(59_350);
  });

  it('rejects what is below 10 ms without any call', async () => {
    const { run, upstream } = createEngineHarness(['a']);
    const result = await run(['a'], { timeoutMs: 9 });
    expect(failureOf(result)).toMatchObject({ status: 'DEADLINE_EXCEEDED', reason: 'DEADLINE', contacted: false });
    expect(upstream.calls).toEqual([]);
    expect(result.attempts).toEqual([]);
  });

  it('is ten minutes where the caller names none, and an hour at most, which the response says', async () => {
    const { run, upstream } = createEngineHarness(['a']);
    upstream.always('a', SILENCE);
    const forever = { firstOutputMs: 1e9, firstOutputAdapts: false };
    expect((await run(['a'], { timing: forever })).elapsedMs).toBe(598_900);
    expect((await run(['a'], { timing: forever, timeoutMs: 1e10 })).elapsedMs).toBe(3_589_900);
    upstream.always('a', answer(10, 'quick'));
    expect(successOf(await run(['a'], { timeoutMs: 1e10 })).deadlineClamped).toBe(true);
    expect(successOf(await run(['a'], { timeoutMs: 3_600_000 })).deadlineClamped).toBe(false);
    expect(successOf(await run(['a'])).deadlineClamped).toBe(false);
  });

  it('is what the caller is told whenever it ended the request', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.always('a', fails('overload', {}, 500));
    upstream.always('b', SILENCE);
    const result = await run(['a', 'b'], { timeoutMs: 5_000 });
    expect(failureOf(result)).toMatchObject({ status: 'DEADLINE_EXCEEDED', reason: 'DEADLINE' });
    expect(result.elapsedMs).toBe(4_900);
  });

  it('is also told where too little of it was left for the next target', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    const broken = { type: 'error', failure: failure('protocol') } as const;
    upstream.script('a', [after(3_000, output('half')), after(6_600, broken)]);
    const result = await run(['a', 'b'], { timeoutMs: 10_000, timing: { streams: true } });
    expect(trailOf(result)).toEqual(['FIRST a protocol', 'SKIPPED b local_refusal']);
    expect(failureOf(result)).toMatchObject({ status: 'DEADLINE_EXCEEDED', reason: 'DEADLINE', contacted: true });
    expect(result.elapsedMs).toBe(9_600);
  });

  it('is not to blame where the next target is out of use anyway', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('b', fails('auth'));
    await run(['b']);
    const broken = { type: 'error', failure: failure('protocol') } as const;
    upstream.script('a', [after(3_000, output('half')), after(6_600, broken)]);
    const result = await run(['a', 'b'], { timeoutMs: 10_000, timing: { streams: true } });
    expect(trailOf(result)).toEqual(['FIRST a protocol', 'SKIPPED b local_refusal']);
    expect(failureOf(result)).toMatchObject({ status: 'INTERNAL', reason: 'ALL_PROVIDERS_FAILED' });
  });

  it('never keeps the first attempt from being made', async () => {
    const { run, upstream } = createEngineHarness(FIVE);
    for (const target of FIVE) upstream.always(target, answer(1, 'quick'));
    expect(successOf(await run(FIVE, { timeoutMs: 10 })).serving.target).toBe('a');
    // A process that was busy when the rate limit ended.
    const late = createEngineHarness(['a']);
    late.upstream.script('a', fails('rate_limit', { retryAfterMs: 2_000 }, 0), answer(1, 'quick'));
    await late.run(['a'], { timeoutMs: 100 });
    const setTimer = late.runtime.setTimer.bind(late.runtime);
    late.runtime.setTimer = (ms, fire) => setTimer(ms > 1_900 ? ms + 1_500 : ms, fire);
    expect(trailOf(await late.run(['a'], { timeoutMs: 4_000 }))).toEqual(['SKIPPED a local_refusal', 'FIRST a ok']);
  });

  it('cuts the wait before a round, so that an attempt fits behind it', async () => {
    const { run, upstream } = createEngineHarness(['a']);
    upstream.script('a', fails('overload', {}, 900), answer(10, 'in time'));
    const result = successOf(await run(['a'], { timeoutMs: 1_500 }));
    // 1,435 ms in all, of which 358.75 are the least attempt and 50 are left to a timer that is late.
    expect(result.attempts[1]?.waitBeforeMs).toBeCloseTo(126.25, 6);
  });

  it('ends a request without a wait where no attempt would fit behind it', async () => {
    const { run, upstream } = createEngineHarness(['a']);
    upstream.always('a', fails('overload', {}, 1_100));
    const result = await run(['a'], { timeoutMs: 1_500 });
    expect(upstream.calls).toHaveLength(1);
    expect(result.elapsedMs).toBe(1_100);
    expect(failureOf(result).status).toBe('UNAVAILABLE');
  });

  it('ends a stream behind its commit as well', async () => {
    const { run, runtime, upstream } = createEngineHarness(['a', 'b']);
    upstream.script(
      'a',
      Array.from({ length: 100 }, () => after(1_000, output('word '))),
    );
    const client = new RecordingClient(runtime);
    const result = await run(['a', 'b'], { client, timeoutMs: 20_000 });
    expect(failureOf(result)).toMatchObject({ status: 'DEADLINE_EXCEEDED', reason: 'DEADLINE', contacted: true });
    expect(result.elapsedMs).toBe(19_750);
    expect(client.text).toBe('word '.repeat(19));
    expect(upstream.openCalls()).toBe(0);
  });

  it('is not cut short by a slice behind the commit', async () => {
    const { run, runtime, upstream } = createEngineHarness(['a', 'b']);
    const words = Array.from({ length: 30 }, () => after(1_000, output('word ')));
    upstream.script('a', [...words, after(0, terminal()), after(0, END)]);
    const client = new RecordingClient(runtime);
    const result = successOf(await run(['a', 'b'], { client, timeoutMs: 40_000 }));
    expect(result.attempts[0]).toMatchObject({ sliceMs: 29_550, durationMs: 30_000, firstOutputMs: 1_000 });
  });

  it('reached in the very moment of the answer is reached', async () => {
    const { run, upstream } = createEngineHarness(['a']);
    upstream.script('a', answer(9_850, 'just'));
    expect(failureOf(await run(['a'], { timeoutMs: 10_000, timing: REASONING })).reason).toBe('DEADLINE');
    upstream.script('a', answer(9_849, 'just'));
    expect((await run(['a'], { timeoutMs: 10_000, timing: REASONING })).ok).toBe(true);
  });
});

describe('the last available target', () => {
  it('gets all the time that is left', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b', 'c']);
    upstream.script('c', fails('auth'));
    await run(['c']);
    upstream.script('a', fails('protocol'));
    upstream.script('b', answer(48_000, 'slow'));
    const result = successOf(await run(['a', 'b', 'c'], { timeoutMs: 60_000, timing: REASONING }));
    expect(result.attempts[1]).toMatchObject({ sliceMs: 59_340 });
  });

  it('gets at least 30 s to its first output', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('a', SILENCE);
    upstream.script('b', answer(29_000, 'slow'));
    const result = successOf(await run(['a', 'b']));
    expect(result.attempts.map(({ durationMs }) => durationMs)).toEqual([12_000, 29_000]);
  });
});

describe('the answer timer', () => {
  it('gives a call that does not stream the time to write its answer', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('a', answer(110_000, 'long'), SILENCE);
    upstream.script('b', answer(10, 'from b'));
    const timing = { streams: false, answerMs: 102_400 };
    expect(successOf(await run(['a', 'b'], { timing })).serving.target).toBe('a');
    const second = successOf(await run(['a', 'b'], { timing }));
    expect(second.attempts[0]).toMatchObject({ failure: { class: 'silence' }, durationMs: 12_000 + 102_400 });
  });
});

describe('silence is the fault of the provider', () => {
  it('only from the configured limit on, as long as nothing is known of it', async () => {
    const { run, upstream, health } = createEngineHarness(['a']);
    upstream.always('a', SILENCE);
    for (let index = 0; index < 10; index++) {
      expect(failureOf(await run(['a'], { timeoutMs: 9_000 })).status).toBe('DEADLINE_EXCEEDED');
    }
    expect(health('a')).toMatchObject({ circuit: 'CLOSED', failures: 0 });
    expect(failureOf(await run(['a'])).reason).toBe('ALL_PROVIDERS_FAILED');
    expect(health('a').failures).toBe(5);
  });

  it('from three times its usual time on: short deadlines do not let a dead target live', async () => {
    const { run, upstream, health } = createEngineHarness(['a', 'b']);
    upstream.always('a', answer(500, 'quick'));
    await run(['a']);
    upstream.always('a', SILENCE);
    upstream.always('b', answer(10, 'from b'));
    for (let index = 0; index < 5; index++) {
      const result = successOf(await run(['a', 'b'], { timeoutMs: 14_000 }));
      expect(result.attempts[0]?.failure?.class).toBe('silence');
      expect(result.attempts[0]?.durationMs).toBeLessThan(12_000);
    }
    expect(health('a').circuit).toBe('OPEN');
    expect(trailOf(await run(['a', 'b']))).toEqual(['SKIPPED a local_refusal', 'FIRST b ok']);
  });

  it('and stays so however long it lasts: silence is no sample of how quick a target is', async () => {
    const { run, runtime, upstream, health } = createEngineHarness(['a', 'b']);
    upstream.always('a', answer(500, 'quick'));
    for (let index = 0; index < 20; index++) await run(['a']);
    upstream.always('a', SILENCE);
    upstream.always('b', answer(10, 'from b'));
    for (let index = 0; index < 40; index++) {
      await run(['a', 'b'], { timeoutMs: 14_000 });
      await runtime.advance(1_000);
    }
    expect(health('a').circuit).toBe('OPEN');
  });
});

describe('twenty samples', () => {
  it('may be of streams that broke off later', async () => {
    const { run, runtime, upstream } = createEngineHarness(['a', 'b'], { circuitBreaker: { failures: 100 } });
    upstream.always('a', breaksAfter(['quick'], 'reset', 500));
    for (let index = 0; index < 20; index++) await run(['a'], { client: new RecordingClient(runtime) });
    upstream.always('a', SILENCE);
    upstream.always('b', answer(10, 'from b'));
    const result = await run(['a', 'b'], { client: new RecordingClient(runtime), timing: { firstOutputMs: 60_000 } });
    expect(result.attempts[0]?.durationMs).toBe(3_100);
  });

  it('replace the configured limit by what is usual for the target and model', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    const stream = { timing: { streams: true, firstOutputMs: 60_000 } };
    upstream.always('a', answer(1_000, 'quick'));
    for (let index = 0; index < 19; index++) await run(['a'], stream);
    upstream.script('a', SILENCE);
    upstream.always('b', answer(10, 'from b'));
    expect((await run(['a', 'b'], stream)).attempts[0]?.durationMs).toBe(60_000);
    await run(['a'], stream);
    upstream.script('a', SILENCE);
    expect((await run(['a', 'b'], stream)).attempts[0]?.durationMs).toBe(3_100);
  });
});
