import { describe, expect, it } from 'vitest';

import type { ChainEntry } from '../../../src/engine/port/call.ts';
import { createEngineHarness, failureOf, successOf, trailOf } from '../../support/engine-harness.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import {
  after,
  answer,
  breaksAfter,
  END,
  failure,
  fails,
  headers,
  keepAlives,
  output,
  SILENCE,
  startup,
} from '../../support/upstream-scripts.ts';

describe('the next target is asked', () => {
  it('silent-before-headers-fails-over: when the first says nothing at all', async () => {
    const { run, runtime, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('a', SILENCE);
    upstream.script('b', answer(50, 'from b'));
    const client = new RecordingClient(runtime);
    const result = successOf(await run(['a', 'b'], { client }));
    expect(client.text).toBe('from b');
    expect(result).toMatchObject({ serving: { target: 'b', number: 2 }, elapsedMs: 12_050 });
    expect(trailOf(result)).toEqual(['FIRST a silence', 'FAILOVER b ok']);
    expect(upstream.notes.map(({ target, what }) => `${target} ${what}`)).toEqual([
      'a open',
      'a abort',
      'b open',
      'b release',
    ]);
  });

  it('error-after-startup-fails-over: when the first fails behind headers and startup events', async () => {
    const { run, runtime, upstream } = createEngineHarness(['a', 'b']);
    const broken = { type: 'error', failure: failure('protocol') } as const;
    upstream.script('a', [after(5, headers()), after(5, startup('a-2026')), after(5, broken)]);
    upstream.script('b', answer(50, 'from b'));
    const client = new RecordingClient(runtime);
    const result = successOf(await run(['a', 'b'], { client }));
    expect(client.servings).toMatchObject([{ target: 'b', model: 'b-model', requestedModel: 'b-model' }]);
    expect(client.text).toBe('from b');
    expect(result.attempts[0]).toMatchObject({ phase: 'GATED', reportedModel: 'a-2026', httpStatus: 200 });
  });

  it('gate-is-per-attempt: nothing of one attempt is left to the next', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('a', breaksAfter(['half ', 'an ans'], 'reset'));
    upstream.script('b', answer(50, 'whole'));
    const result = successOf(await run(['a', 'b']));
    expect(result).toMatchObject({ outputs: ['whole'], final: 'stop', serving: { target: 'b' }, empty: false });
    expect(trailOf(result)).toEqual(['FIRST a reset', 'FAILOVER b ok']);
  });

  it('first-output-timer-per-attempt: each has its own time to begin', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b', 'c']);
    upstream.script('a', SILENCE);
    upstream.script('b', SILENCE);
    upstream.script('c', answer(11_000, 'from c'));
    const result = successOf(await run(['a', 'b', 'c']));
    expect(result.elapsedMs).toBe(12_000 + 12_000 + 11_000);
  });

  it('keepalive-never-extends-first-output: when the first only keeps the connection alive', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('a', keepAlives(500));
    upstream.script('b', answer(50, 'from b'));
    expect(successOf(await run(['a', 'b'])).elapsedMs).toBe(12_050);
  });

  it('when an answer without a stream stops in its middle, and starts afresh there', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('a', [after(10, headers()), after(10, output('half'))]);
    upstream.script('b', answer(50, 'whole'));
    const result = successOf(await run(['a', 'b'], { timing: { streams: true } }));
    expect(trailOf(result)).toEqual(['FIRST a silence', 'FAILOVER b ok']);
    expect(result.outputs).toEqual(['whole']);
  });

  it('when an answer ends without its terminal marker', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    const cut = [after(10, headers()), after(10, output('All is said.')), after(0, END)];
    upstream.always('a', cut);
    upstream.script('b', answer(50, 'whole'));
    expect(successOf(await run(['a', 'b'])).outputs).toEqual(['whole']);
  });
});

describe('lazy-connect-error-is-inside-loop: the next target is asked', () => {
  it('when the opening of a call throws', async () => {
    const { run, upstream, alerts, health } = createEngineHarness(['a', 'b']);
    upstream.throwOnOpen('a', new Error('no such host'));
    upstream.script('b', answer(50, 'from b'));
    const result = successOf(await run(['a', 'b']));
    expect(trailOf(result)).toEqual(['FIRST a internal', 'FAILOVER b ok']);
    expect(alerts).toMatchObject([{ target: 'a', failure: { class: 'internal' } }]);
    expect(health('a')).toMatchObject({ failures: 0, inFlight: 0, lastError: 'INTERNAL' });
  });

  it('when the translation of the request throws, once', async () => {
    const { run, upstream, alerts } = createEngineHarness(['a', 'b', 'c']);
    upstream.always('b', answer(50, 'from b'));
    const prepare = (broken: readonly string[]) => (entry: ChainEntry) => {
      if (broken.includes(entry.target)) throw new Error('cannot translate');
      return upstream.prepare(entry);
    };
    const result = successOf(await run(['a', 'b'], { prepare: prepare(['a']) }));
    expect(trailOf(result)).toEqual(['SKIPPED a internal', 'FIRST b ok']);
    expect(alerts).toMatchObject([{ target: 'a', failure: { class: 'internal' } }]);
    const failed = failureOf(await run(['a', 'c', 'b'], { prepare: prepare(['a', 'c']) }));
    expect(failed).toMatchObject({ status: 'INTERNAL', reason: 'INTERNAL', contacted: false });
    expect(upstream.calls).toEqual(['b']);
  });

  it('when a target cannot take the request; it is asked to translate once', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('b', fails('overload'), fails('overload'), answer(50, 'from b'));
    const asked: string[] = [];
    const result = await run(['a', 'b'], {
      prepare: (entry) => {
        asked.push(entry.target);
        return entry.target === 'a' ? failure('capability', { neverSent: true }) : upstream.prepare(entry);
      },
    });
    expect(trailOf(result)).toEqual(['SKIPPED a capability', 'FIRST b overload', 'RETRY b overload', 'RETRY b ok']);
    expect(asked).toEqual(['a', 'b']);
  });
});

describe('the next target is not asked', () => {
  it('where the chain has none: fallback that is disabled is a chain of one', async () => {
    const { run, runtime, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('a', breaksAfter(['half'], 'reset'));
    const client = new RecordingClient(runtime);
    expect(failureOf(await run(['a'], { client }))).toMatchObject({ status: 'ABORTED', reason: 'STREAM_INTERRUPTED' });
    expect(upstream.calls).toEqual(['a']);
  });

  it('after a request that is the caller’s mistake', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('a', fails('bad_request', { field: 'options.temperature', httpStatus: 400 }));
    expect(failureOf(await run(['a', 'b']))).toMatchObject({
      status: 'INVALID_ARGUMENT',
      reason: 'INVALID_REQUEST',
      field: 'options.temperature',
      contacted: true,
    });
    expect(upstream.calls).toEqual(['a']);
  });

  it.each([
    'reset',
    'overload',
    'protocol',
    'silence',
    'internal',
    'rate_limit',
    'auth',
    'content',
    'bad_request',
  ] as const)('after a stream that broke with %s behind its first words', async (name) => {
    const { run, runtime, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('a', breaksAfter(['some ', 'words'], name));
    const client = new RecordingClient(runtime);
    const result = await run(['a', 'b'], { client });
    expect(failureOf(result)).toMatchObject({ status: 'ABORTED', reason: 'STREAM_INTERRUPTED', contacted: true });
    expect(trailOf(result)).toEqual(['FIRST a interrupted']);
    expect(client.text).toBe('some words');
    expect(upstream.openCalls()).toBe(0);
  });

  it('after a stream that stopped behind its first words', async () => {
    const { run, runtime, upstream, health } = createEngineHarness(['a', 'b']);
    upstream.script('a', [after(10, output('some'))]);
    const client = new RecordingClient(runtime);
    expect(failureOf(await run(['a', 'b'], { client })).reason).toBe('STREAM_INTERRUPTED');
    expect(health('a')).toMatchObject({ failures: 1, lastError: 'STREAM_INTERRUPTED' });
  });
});

describe('a stream that breaks with what is no fault of the provider', () => {
  it('is interrupted for the caller, a rate limit for the target, and moves no breaker', async () => {
    const { run, runtime, upstream, health } = createEngineHarness(['a']);
    for (let index = 0; index < 5; index++) {
      upstream.script('a', breaksAfter(['some'], 'rate_limit'));
      const result = await run(['a'], { client: new RecordingClient(runtime) });
      expect(failureOf(result).reason).toBe('STREAM_INTERRUPTED');
      expect(health('a').rateLimitedForMs).toBeGreaterThan(0);
      await runtime.advance(2_000);
    }
    expect(health('a')).toMatchObject({ circuit: 'CLOSED', failures: 0 });
  });
});

describe('a chain', () => {
  it('that is empty is a missing configuration', async () => {
    const { run } = createEngineHarness(['a']);
    expect(failureOf(await run([]))).toMatchObject({ status: 'FAILED_PRECONDITION', reason: 'NO_PROVIDER_CONFIGURED' });
  });

  it('that names a target that does not exist is a fault of ours, and is told as a result', async () => {
    const { run, upstream, runtime } = createEngineHarness(['a']);
    upstream.always('a', fails('auth'));
    expect(failureOf(await run(['nobody']))).toMatchObject({ status: 'INTERNAL', reason: 'INTERNAL' });
    expect(failureOf(await run(['a', 'nobody']))).toMatchObject({ status: 'INTERNAL', reason: 'INTERNAL' });
    expect(runtime.pendingTimers()).toBe(0);
  });
});
