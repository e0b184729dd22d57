import { describe, expect, it } from 'vitest';

import type { RetryOrder } from '../../../src/engine/port/config.ts';
import { createEngineHarness, entryOf, failureOf, successOf, trailOf } from '../../support/engine-harness.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import { after, answer, fails, headers, output } from '../../support/upstream-scripts.ts';

/** A 400 whose words nobody knows. */
const ODD = fails('bad_request', { httpStatus: 400, unrecognised: true });
/** A 400 that says what is wrong in words that are known. */
const KNOWN = fails('bad_request', { httpStatus: 400 });

describe('a refusal in unknown words', () => {
  it.each(['SAME_THEN_NEXT', 'NEXT_FIRST', 'EXHAUST_FIRST'] as const satisfies readonly RetryOrder[])(
    'of another server than the provider’s own is passed on, whatever the order of repeats: %s',
    async (order) => {
      const { run, upstream } = createEngineHarness(['a', 'b'], { foreign: ['a'], retry: { order } });
      upstream.always('a', ODD);
      upstream.always('b', answer(10, 'from b'));
      const result = await run(['a', 'b']);
      expect(trailOf(result)).toEqual(['FIRST a bad_request', 'FAILOVER b ok']);
      expect(successOf(result).outputs).toEqual(['from b']);
    },
  );

  it('is passed on for a stream, of which nothing has begun', async () => {
    const { run, runtime, upstream } = createEngineHarness(['a', 'b'], { foreign: ['a'] });
    upstream.always('a', ODD);
    upstream.always('b', answer(10, 'from b'));
    const client = new RecordingClient(runtime);
    expect(trailOf(await run(['a', 'b'], { client }))).toEqual(['FIRST a bad_request', 'FAILOVER b ok']);
    expect(client.text).toBe('from b');
  });

  it('ends the request where the provider itself has answered', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b'], { foreign: ['b'] });
    upstream.always('a', ODD);
    upstream.always('b', answer(10, 'never'));
    const result = await run(['a', 'b']);
    expect(trailOf(result)).toEqual(['FIRST a bad_request']);
    expect(failureOf(result)).toMatchObject({ status: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST' });
  });

  it('is taken for the caller’s mistake where every target refuses, each asked once', async () => {
    const { run, upstream, runtime } = createEngineHarness(['a', 'b', 'c'], { foreign: ['a', 'b', 'c'] });
    for (const target of ['a', 'b', 'c']) upstream.always(target, ODD);
    const result = await run(['a', 'b', 'c']);
    expect(trailOf(result)).toEqual(['FIRST a bad_request', 'FAILOVER b bad_request', 'FAILOVER c bad_request']);
    expect(failureOf(result)).toMatchObject({
      status: 'INVALID_ARGUMENT',
      reason: 'INVALID_REQUEST',
      contacted: true,
      retryAfterMs: undefined,
    });
    // Nobody is kept waiting.
    expect(result.elapsedMs).toBe(30);
    expect(runtime.pendingTimers()).toBe(0);
  });

  it('is the caller’s mistake at once where no other target is there', async () => {
    const { run, upstream } = createEngineHarness(['a'], { foreign: ['a'] });
    upstream.always('a', ODD);
    const result = await run(['a']);
    expect(upstream.calls).toEqual(['a']);
    expect(failureOf(result)).toMatchObject({ status: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST' });
  });

  it.each([
    { name: 'in words that are known', script: KNOWN, reason: 'INVALID_REQUEST' },
    { name: 'for its content', script: fails('content'), reason: 'PROMPT_BLOCKED' },
  ])('is behind the word of the next target, which refuses $name and ends the request', async ({ script, reason }) => {
    const { run, upstream } = createEngineHarness(['a', 'b', 'c'], { foreign: ['a', 'b', 'c'] });
    upstream.always('a', ODD);
    upstream.always('b', script);
    upstream.always('c', answer(10, 'never'));
    const result = await run(['a', 'b', 'c']);
    expect(upstream.calls).toEqual(['a', 'b']);
    expect(failureOf(result)).toMatchObject({ status: 'INVALID_ARGUMENT', reason });
  });

  it('ends with the provider’s own word behind that of another server', async () => {
    const { run, upstream } = createEngineHarness(['a', 'own', 'c'], { foreign: ['a', 'c'] });
    upstream.always('a', ODD);
    upstream.always('own', ODD);
    upstream.always('c', answer(10, 'never'));
    const result = await run(['a', 'own', 'c']);
    expect(upstream.calls).toEqual(['a', 'own']);
    expect(failureOf(result).status).toBe('INVALID_ARGUMENT');
  });

  it('is no proof against the request where the next target fails for its own reasons', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b'], { foreign: ['a'], retry: { maxRepeats: 0 } });
    upstream.always('a', ODD);
    upstream.always('b', fails('overload'));
    const result = await run(['a', 'b']);
    expect(trailOf(result)).toEqual(['FIRST a bad_request', 'FAILOVER b overload']);
    expect(failureOf(result)).toMatchObject({ status: 'UNAVAILABLE', reason: 'ALL_PROVIDERS_FAILED', contacted: true });
  });

  it('is no proof either where the next target could not be asked', async () => {
    const { run, upstream, engine } = createEngineHarness(['a', 'b'], { foreign: ['a'] });
    upstream.always('a', ODD);
    engine.force('b', 'OPEN');
    const result = await run(['a', 'b']);
    expect(trailOf(result)).toEqual(['FIRST a bad_request', 'SKIPPED b local_refusal']);
    expect(failureOf(result)).toMatchObject({ status: 'UNAVAILABLE', reason: 'ALL_PROVIDERS_FAILED' });
  });

  it('is one where the next target is known not to take the request', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b'], { foreign: ['a', 'b'] });
    upstream.always('a', fails('capability', { reason: 'UNSUPPORTED_PARAMETER' }));
    upstream.always('b', ODD);
    const result = await run([entryOf('a'), entryOf('b')]);
    expect(failureOf(result)).toMatchObject({ status: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST' });
  });

  it('leaves rounds to the targets that may come back, and never comes back itself', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b'], { foreign: ['a'] });
    upstream.always('a', ODD);
    upstream.script('b', fails('overload'), fails('overload'), answer(10, 'at last'));
    const result = await run(['a', 'b']);
    expect(upstream.calls).toEqual(['a', 'b', 'b', 'b']);
    expect(result.ok).toBe(true);
  });

  it('waits for a target that is held back for now, which has not been asked yet', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b'], { foreign: ['a'] });
    upstream.script('b', fails('rate_limit', { retryAfterMs: 5_000 }));
    await run(['b'], { timeoutMs: 1_000 });
    upstream.always('a', ODD);
    upstream.always('b', answer(10, 'from b'));
    const result = await run(['a', 'b']);
    expect(trailOf(result)).toEqual(['FIRST a bad_request', 'SKIPPED b local_refusal', 'FAILOVER b ok']);
  });

  it('costs neither circuits nor budgets, suspends nothing, holds nothing back and alerts nobody', async () => {
    const { run, upstream, health, alerts } = createEngineHarness(['a', 'b'], { foreign: ['a', 'b'] });
    const odd = fails('bad_request', { httpStatus: 422, unrecognised: true, retryAfterMs: 60_000 });
    upstream.always('a', odd);
    upstream.always('b', odd);
    for (let count = 0; count < 50; count++) await run(['a', 'b']);
    for (const target of ['a', 'b']) {
      expect(health(target)).toMatchObject({
        available: true,
        circuit: 'CLOSED',
        failures: 0,
        suspendedReason: undefined,
        rateLimitedForMs: undefined,
      });
    }
    expect(alerts).toEqual([]);
    upstream.script('a', fails('overload'), answer(10, 'repeated'));
    expect(trailOf(await run(['a', 'b']))).toEqual(['FIRST a overload', 'RETRY a ok']);
  });

  it('takes the next target of a request that the gateway is going down with, too', async () => {
    const { ask, engine, runtime, upstream } = createEngineHarness(['a', 'b'], { foreign: ['a'] });
    upstream.always('a', ODD);
    upstream.always('b', answer(10, 'from b'));
    const { result } = ask(['a', 'b']);
    await runtime.settle();
    engine.drain();
    await runtime.runUntilIdle();
    expect((await result).ok).toBe(true);
  });

  it('is no reason to begin a stream anew of which the caller has got some', async () => {
    const { run, runtime, upstream } = createEngineHarness(['a', 'b'], { foreign: ['a'] });
    upstream.always('a', [after(10, headers()), after(10, output('half ')), ...ODD]);
    upstream.always('b', answer(10, 'never'));
    const result = await run(['a', 'b'], { client: new RecordingClient(runtime), recovery: 'RESTART' });
    expect(upstream.calls).toEqual(['a']);
    expect(failureOf(result)).toMatchObject({ status: 'ABORTED', reason: 'STREAM_INTERRUPTED' });
  });

  it('of a probe decides nothing: the next call probes', async () => {
    const { run, runtime, upstream, health } = createEngineHarness(['a', 'b'], {
      foreign: ['a'],
      retry: { maxRepeats: 0 },
    });
    upstream.always('a', fails('overload'));
    upstream.always('b', answer(10, 'from b'));
    for (let count = 0; count < 5; count++) await run(['a', 'b']);
    await runtime.advance(30_000);
    upstream.always('a', ODD);
    expect(trailOf(await run(['a', 'b']))).toEqual(['PROBE a bad_request', 'FAILOVER b ok']);
    expect(health('a').circuit).toBe('HALF_OPEN');
    upstream.always('a', answer(10, 'well'));
    expect(trailOf(await run(['a', 'b']))).toEqual(['PROBE a ok']);
  });
});
