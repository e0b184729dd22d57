import { describe, expect, it } from 'vitest';

import type { Failure } from '../../../src/core/failure.ts';
import type { Prepared, Rejection } from '../../../src/engine/port/call.ts';
import type { AskOptions, EngineHarness, HarnessOptions } from '../../support/engine-harness.ts';
import { createEngineHarness, failureOf, successOf, trailOf } from '../../support/engine-harness.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import type { Script } from '../../support/upstream-scripts.ts';
import { answer, breaksAfter, fails, failure, SILENCE } from '../../support/upstream-scripts.ts';

const BAD = answer(10, 'bad');
const GOOD = answer(10, 'good');
const MISMATCH: Failure = failure('mismatch');

interface Wish {
  readonly strict?: boolean;
  readonly repair?: boolean;
  /** Why there can be no repair. */
  readonly refusal?: Failure;
}

interface Stage extends EngineHarness {
  readonly client: RecordingClient;
  /** Asks for an answer that is not `bad`. */
  readonly request: (wish: Wish, options?: AskOptions) => ReturnType<EngineHarness['run']>;
}

/** The last piece of an upstream call decides: `bad` is not what was asked for. */
function stage(scripts: Readonly<Record<string, readonly Script[]>>, options: HarnessOptions = {}): Stage {
  const targets = Object.keys(scripts);
  const harness = createEngineHarness(targets, options);
  for (const [target, list] of Object.entries(scripts)) harness.upstream.script(target, ...list);
  const client = new RecordingClient(harness.runtime);
  const request: Stage['request'] = ({ strict = false, repair = false, refusal }, asked = {}) => {
    const prepare = (target: string, isRepair: boolean): Prepared<string, string> => {
      const prepared = harness.upstream.prepare(
        { target, provider: target, model: '', circuit: '', modelNamedByCaller: false },
        { streams: asked.client !== undefined },
      );
      let text = '';
      const mends = repair && !isRepair;
      const judge = (): Rejection<string, string> | undefined =>
        text !== 'bad' || (!strict && !mends)
          ? undefined
          : {
              failure: MISMATCH,
              isTolerable: !strict,
              repair: mends ? () => refusal ?? prepare(target, true) : undefined,
            };
      return {
        ...prepared,
        open: (sink) => {
          text = '';
          return prepared.open((event) => {
            if (event.type === 'output') text += event.value;
            sink(event);
          });
        },
        judge,
      };
    };
    return harness.run(targets, { ...asked, prepare: ({ target }) => prepare(target, false) });
  };
  return { ...harness, client, request };
}

function told({ notes }: RecordingClient): string[] {
  return notes.map((note) => {
    if (note.what === 'output') return note.text;
    return note.what === 'ping' ? 'ping' : `${note.what} ${note.serving.target}`;
  });
}

describe('a complete answer that is not what was asked for', () => {
  it('is returned where the caller is not strict and wants no repair', async () => {
    const { request } = stage({ a: [BAD], b: [GOOD] });
    const result = successOf(await request({}));
    expect(result.outputs).toEqual(['bad']);
    expect(trailOf(result)).toEqual(['FIRST a ok']);
  });

  it('is passed over for the next target where the caller is strict', async () => {
    const { request } = stage({ a: [BAD], b: [GOOD] });
    const result = successOf(await request({ strict: true }));
    expect(result.outputs).toEqual(['good']);
    expect(trailOf(result)).toEqual(['FIRST a mismatch', 'FAILOVER b ok']);
    expect(result.attempts[0]?.usage?.outputTokens).toBe(1);
  });

  it('is told as itself where no target does better, and asked for no second time', async () => {
    const { request, upstream } = stage({ a: [BAD], b: [BAD] });
    const result = await request({ strict: true });
    expect(failureOf(result)).toMatchObject({ status: 'ABORTED', reason: 'SCHEMA_MISMATCH', contacted: true });
    expect(upstream.calls).toEqual(['a', 'b']);
  });

  it('says nothing against the health of its target', async () => {
    const { request, health } = stage({ a: [BAD, BAD, BAD, BAD, BAD] });
    for (let index = 0; index < 5; index++) await request({ strict: true });
    expect(health('a')).toMatchObject({ circuit: 'CLOSED', successRate: 1, failures: 0 });
  });

  it('ends a stream that has shown it, where the caller is strict and wants no restart', async () => {
    const { request, client, upstream } = stage({ a: [BAD], b: [GOOD] });
    const result = await request({ strict: true, repair: true }, { client });
    expect(failureOf(result)).toMatchObject({ status: 'ABORTED', reason: 'SCHEMA_MISMATCH' });
    expect(told(client)).toEqual(['started a', 'bad']);
    expect(upstream.calls).toEqual(['a']);
  });

  it('has the next target begin anew where the caller of a stream wants a restart', async () => {
    const { request, client } = stage({ a: [BAD], b: [GOOD] });
    const result = successOf(await request({ strict: true }, { client, recovery: 'RESTART' }));
    expect(told(client)).toEqual(['started a', 'bad', 'restarted b', 'good']);
    expect(trailOf(result)).toEqual(['FIRST a mismatch', 'RESTART b ok']);
    expect(client.notes.find(({ what }) => what === 'restarted')).toMatchObject({ reason: 'SCHEMA_MISMATCH' });
  });

  it('was taken by its target, so that what another refuses does not make the request wrong', async () => {
    const { request } = stage({ a: [BAD], b: [fails('content')], c: [GOOD] });
    expect(trailOf(await request({ strict: true }))).toEqual([
      'FIRST a mismatch',
      'FAILOVER b content',
      'FAILOVER c ok',
    ]);
    const refused = await stage({ a: [BAD], b: [fails('content')] }).request({ strict: true });
    expect(failureOf(refused)).toMatchObject({ status: 'ABORTED', reason: 'SCHEMA_MISMATCH' });
  });

  it('is returned, or asked of the next target, where its own refuses what was to mend it', async () => {
    const { request } = stage({ a: [BAD, fails('bad_request')], b: [GOOD] });
    expect(successOf(await request({ repair: true })).outputs).toEqual(['bad']);
    const strict = stage({ a: [BAD, fails('bad_request')], b: [GOOD] });
    const result = await strict.request({ strict: true, repair: true });
    expect(trailOf(result)).toEqual(['FIRST a mismatch', 'REPAIR a bad_request', 'FAILOVER b ok']);
  });
});

describe('a repair', () => {
  it('is one further attempt on the same target, with a record of its own', async () => {
    const { request, runtime, upstream } = stage({ a: [BAD, GOOD], b: [] });
    const result = successOf(await request({ repair: true }));
    expect(result.outputs).toEqual(['good']);
    expect(result.serving).toMatchObject({ number: 2, target: 'a' });
    expect(trailOf(result)).toEqual(['FIRST a mismatch', 'REPAIR a ok']);
    expect(result.attempts.map(({ usage }) => usage?.totalTokens)).toEqual([8, 8]);
    expect(upstream.openCalls()).toBe(0);
    expect(runtime.pendingTimers()).toBe(0);
  });

  it('is made once: what it brings counts, and the strict go on to the next target', async () => {
    const lenient = stage({ a: [BAD, BAD], b: [] });
    const tolerated = successOf(await lenient.request({ repair: true }));
    expect(trailOf(tolerated)).toEqual(['FIRST a mismatch', 'REPAIR a ok']);
    const { request } = stage({ a: [BAD, BAD], b: [GOOD] });
    const result = successOf(await request({ repair: true, strict: true }));
    expect(trailOf(result)).toEqual(['FIRST a mismatch', 'REPAIR a mismatch', 'FAILOVER b ok']);
    expect(result.outputs).toEqual(['good']);
  });

  it('that fails leaves the first answer to those who are not strict', async () => {
    const { request } = stage({ a: [BAD, fails('overload')], b: [] });
    const result = successOf(await request({ repair: true }));
    expect(result.outputs).toEqual(['bad']);
    expect(result.serving.number).toBe(1);
    expect(trailOf(result)).toEqual(['FIRST a mismatch', 'REPAIR a overload']);
  });

  it('that fails sends the strict to the next target, and to no repair of an answer that is gone', async () => {
    const { request } = stage({ a: [BAD, fails('overload')], b: [fails('auth')], c: [GOOD] });
    const result = successOf(await request({ repair: true, strict: true }));
    expect(trailOf(result)).toEqual(['FIRST a mismatch', 'REPAIR a overload', 'FAILOVER b auth', 'FAILOVER c ok']);
  });

  it('is not made where the request may repeat nothing', async () => {
    const { request, upstream } = stage({ a: [BAD] }, { retry: { maxRepeats: 0 } });
    const result = successOf(await request({ repair: true }));
    expect(result.outputs).toEqual(['bad']);
    expect(upstream.calls).toEqual(['a']);
  });

  it('takes from the budget of the target, and is not made once that is empty', async () => {
    const { request, upstream } = stage({ a: [] });
    upstream.always('a', BAD);
    for (let index = 0; index < 20; index++) await request({ repair: true });
    // Ten repeats and a fifth of each first visit (engine rule R1), over 20 visits of 20 ms.
    expect(upstream.calls).toHaveLength(20 + 13);
  });

  it('is not made where too little time is left', async () => {
    const { request, upstream } = stage({ a: [answer(3_500, 'bad'), GOOD] });
    const result = successOf(await request({ repair: true }, { timeoutMs: 4_000 }));
    expect(result.outputs).toEqual(['bad']);
    expect(upstream.calls).toEqual(['a']);
  });

  it('that cannot be translated is noted as skipped', async () => {
    const refusal = failure('capability', { reason: 'COST_LIMIT_EXCEEDED' });
    const { request } = stage({ a: [BAD] });
    const result = successOf(await request({ repair: true, refusal }));
    expect(trailOf(result)).toEqual(['FIRST a mismatch', 'SKIPPED a capability']);
    expect(result.outputs).toEqual(['bad']);
  });

  it('that a cancel ends returns nothing', async () => {
    const { request, upstream, runtime } = stage({ a: [BAD, SILENCE] });
    const controller = new AbortController();
    runtime.setTimer(1_000, () => {
      controller.abort();
    });
    const result = await request({ repair: true }, { signal: controller.signal });
    expect(failureOf(result).reason).toBe('CANCELLED');
    expect(upstream.openCalls()).toBe(0);
  });

  it('of a stream begins it anew, where the caller wants that', async () => {
    const { request, client } = stage({ a: [BAD, GOOD], b: [] });
    const result = successOf(await request({ repair: true }, { client, recovery: 'RESTART' }));
    expect(told(client)).toEqual(['started a', 'bad', 'restarted a', 'good']);
    expect(trailOf(result)).toEqual(['FIRST a mismatch', 'REPAIR a ok']);
  });

  it('of a stream that fails before its first output leaves the stream as it was', async () => {
    const { request, client } = stage({ a: [BAD, fails('overload')], b: [] });
    const result = successOf(await request({ repair: true }, { client, recovery: 'RESTART' }));
    expect(told(client)).toEqual(['started a', 'bad']);
    expect(result.serving.number).toBe(1);
  });

  it('of a stream that breaks off has taken the first answer away: another begins anew', async () => {
    const { request, client } = stage({ a: [BAD, breaksAfter(['go'], 'reset')], b: [GOOD] });
    const result = successOf(await request({ repair: true }, { client, recovery: 'RESTART' }));
    expect(told(client)).toEqual(['started a', 'bad', 'restarted a', 'go', 'restarted b', 'good']);
    expect(trailOf(result)).toEqual(['FIRST a mismatch', 'REPAIR a interrupted', 'RESTART b ok']);
  });
});
