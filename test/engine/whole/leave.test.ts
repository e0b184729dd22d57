import { describe, expect, it } from 'vitest';

import type { Failure } from '../../../src/core/failure.ts';
import type { ClaimAnswer } from '../../../src/core/ports.ts';
import type { AskOptions, EngineHarness, HarnessOptions } from '../../support/engine-harness.ts';
import { createEngineHarness, failureOf, successOf, trailOf } from '../../support/engine-harness.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import { answer, breaksAfter, fails, type Script } from '../../support/upstream-scripts.ts';

const QUOTA = { subject: 'caller:billing', description: '1 USD per day', metadata: { budget: 'caller:billing day' } };
const SPENT: Failure = { class: 'budget', reason: 'BUDGET_EXHAUSTED', message: 'Nothing is left.', quota: QUOTA };
const GIVEN_UP: Failure = { class: 'client_cancel', reason: 'CANCELLED', message: 'No more.' };

/** A claim that is decided on by the test. */
function pending(): { readonly answer: ClaimAnswer; readonly decide: (failure?: Failure) => void } {
  const { promise, resolve } = Promise.withResolvers<Failure | undefined>();
  return { answer: { decided: promise, cancel: () => resolve(GIVEN_UP) }, decide: resolve };
}

interface Stage extends EngineHarness {
  /** Claims, what was given back, and the ends of attempts, in their order. */
  readonly heard: string[];
  readonly asked: AskOptions;
}

/** Each claim is answered by the next of these; by leave where there is none. */
function stage(
  scripts: Readonly<Record<string, readonly Script[]>>,
  answers: readonly ClaimAnswer[] = [],
  options: HarnessOptions = {},
): Stage {
  const harness = createEngineHarness(Object.keys(scripts), options);
  for (const [target, list] of Object.entries(scripts)) harness.upstream.script(target, ...list);
  const heard: string[] = [];
  const left = [...answers];
  const asked: AskOptions = {
    prepare: (entry) => ({
      ...harness.upstream.prepare(entry, { streams: true }),
      claim: () => {
        heard.push(`claim ${entry.target}`);
        return left.shift();
      },
      giveBack: () => {
        heard.push(`back ${entry.target}`);
      },
    }),
    attemptEnded: ({ kind, entry, failure }) => heard.push(`${kind} ${entry.target} ${failure?.class ?? 'ok'}`),
  };
  return { ...harness, heard, asked };
}

describe('what an attempt may cost', () => {
  it('asks for leave before each attempt, and hears of its end before the next', async () => {
    const { run, heard, asked } = stage({ a: [fails('reset'), fails('reset')], b: [answer(10, 'yes')] });
    successOf(await run(['a', 'b'], asked));
    expect(heard).toEqual(['claim a', 'FIRST a reset', 'claim a', 'RETRY a reset', 'claim b', 'FAILOVER b ok']);
  });

  it('is told to the caller, whatever is left of the chain', async () => {
    const { run, heard, asked, upstream } = stage({ a: [answer(10, 'yes')], b: [answer(10, 'yes')] }, [SPENT]);
    const result = await run(['a', 'b'], asked);
    expect(failureOf(result)).toMatchObject({
      status: 'RESOURCE_EXHAUSTED',
      reason: 'BUDGET_EXHAUSTED',
      quota: QUOTA,
      contacted: false,
    });
    expect(failureOf(result).retryAfterMs).toBeUndefined();
    expect(trailOf(result)).toEqual(['SKIPPED a budget']);
    expect([heard, upstream.calls]).toEqual([['claim a'], []]);
  });

  it('ends a request behind a failed attempt, which may have been paid', async () => {
    const { run, asked } = stage({ a: [fails('overload')], b: [answer(10, 'yes')] }, [undefined, SPENT]);
    const result = await run(['a', 'b'], asked);
    expect(failureOf(result)).toMatchObject({ reason: 'BUDGET_EXHAUSTED', contacted: true });
    expect(trailOf(result)).toEqual(['FIRST a overload', 'SKIPPED a budget']);
  });

  it.each([undefined, 'FAIL', 'RESTART'] as const)(
    'ends an answer that outgrows it, for good, and blames no target (recovery %s)',
    async (recovery) => {
      const { run, heard, asked, runtime, upstream } = stage({
        a: [breaksAfter(['he'], 'budget')],
        b: [answer(10, 'yes')],
      });
      const streamed = recovery && { client: new RecordingClient(runtime), recovery };
      const result = await run(['a', 'b'], { ...asked, ...streamed });
      expect(failureOf(result)).toMatchObject({
        status: 'RESOURCE_EXHAUSTED',
        reason: 'BUDGET_EXHAUSTED',
        contacted: true,
      });
      expect(heard).toEqual(['claim a', 'FIRST a budget']);
      expect(upstream.calls.length).toBe(1);
    },
  );

  it('leaves a stream interrupted that was to begin anew', async () => {
    const { run, asked, runtime } = stage({ a: [breaksAfter(['he'], 'reset')], b: [answer(10, 'yes')] }, [
      undefined,
      SPENT,
      SPENT,
    ]);
    const client = new RecordingClient(runtime);
    const result = await run(['a', 'b'], { ...asked, client, recovery: 'RESTART' });
    expect(failureOf(result)).toMatchObject({ status: 'ABORTED', reason: 'STREAM_INTERRUPTED', contacted: true });
  });

  it('harms no target: circuits, suspensions and statistics stay as they are', async () => {
    const { run, asked, health, alerts } = stage({ a: [] }, [SPENT, SPENT, SPENT, SPENT, SPENT, SPENT]);
    for (let call = 0; call < 6; call++) await run(['a'], asked);
    expect(health('a')).toMatchObject({ available: true, circuit: 'CLOSED', failures: 0, requests: 0 });
    expect(alerts).toEqual([]);
  });
});

describe('an attempt that waits for leave', () => {
  it('blames no target for the wait, and is made when there is leave', async () => {
    const claim = pending();
    const { ask, asked, runtime, health, upstream, ended } = stage({ a: [answer(10, 'yes')] }, [claim.answer]);
    const { result } = ask(['a'], { ...asked, timeoutMs: 600_000 });
    await runtime.advance(120_000);
    expect(upstream.calls).toEqual([]);
    claim.decide();
    await runtime.runUntilIdle();
    successOf(await result);
    expect(ended).toMatchObject([{ durationMs: 10, waitBeforeMs: 120_000 }]);
    expect(health('a')).toMatchObject({ circuit: 'CLOSED', failures: 0 });
  });

  it('is given up in the turn in which the caller cancels', async () => {
    const { ask, asked, runtime, upstream, heard } = stage({ a: [answer(10, 'yes')] }, [pending().answer]);
    const { result, cancel } = ask(['a'], asked);
    await runtime.advance(50);
    cancel();
    expect(failureOf(await result)).toMatchObject({ reason: 'CANCELLED', contacted: false });
    expect([runtime.now(), upstream.calls, heard, runtime.pendingTimers()]).toEqual([50, [], ['claim a'], 0]);
  });

  it('is refused where the engine goes down meanwhile', async () => {
    const { ask, asked, runtime, engine } = stage({ a: [answer(10, 'yes')] }, [pending().answer]);
    const { result } = ask(['a'], asked);
    await runtime.advance(50);
    engine.drain();
    expect(failureOf(await result)).toMatchObject({ reason: 'SHUTTING_DOWN', contacted: false });
  });

  it('gives leave back that comes when the target can no longer be asked', async () => {
    const claim = pending();
    const { ask, asked, runtime, engine, heard } = stage({ a: [], b: [answer(10, 'yes')] }, [claim.answer]);
    const { result } = ask(['a', 'b'], asked);
    await runtime.advance(50);
    engine.force('a', 'OPEN');
    claim.decide();
    await runtime.runUntilIdle();
    expect(trailOf(successOf(await result))).toEqual(['SKIPPED a local_refusal', 'FIRST b ok']);
    expect(heard).toEqual(['claim a', 'back a', 'claim b', 'FIRST b ok']);
  });

  it('is not asked for a target that cannot be asked', async () => {
    const { run, asked, engine, heard } = stage({ a: [], b: [answer(10, 'yes')] });
    engine.force('a', 'OPEN');
    successOf(await run(['a', 'b'], asked));
    expect(heard).toEqual(['claim b', 'FIRST b ok']);
  });
});
