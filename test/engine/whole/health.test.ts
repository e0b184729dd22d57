import { describe, expect, it } from 'vitest';

import { createEngineHarness, entryOf } from '../../support/engine-harness.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import { answer, fails } from '../../support/upstream-scripts.ts';

describe('the health of a target', () => {
  it('is unknown, not perfect, before its first call', () => {
    const { engine } = createEngineHarness(['a', 'b']);
    expect(engine.health().map(({ target }) => target)).toEqual(['a', 'b']);
    expect(engine.health()[0]).toEqual({
      target: 'a',
      provider: 'a',
      available: true,
      successRate: undefined,
      averageLatencyMs: undefined,
      latencyP50Ms: undefined,
      latencyP95Ms: undefined,
      firstOutputP95Ms: undefined,
      circuit: 'CLOSED',
      circuits: [],
      suspendedReason: undefined,
      rateLimitedForMs: undefined,
      inFlight: 0,
      requests: 0,
      failures: 0,
      tokensUsed: 0,
      lastError: undefined,
    });
  });

  it('adds up calls, failures and tokens, and keeps the last error', async () => {
    const { run, runtime, upstream, health } = createEngineHarness(['a']);
    upstream.script('a', fails('overload'), answer(400, 'one', 'two', 'three'));
    await run(['a'], { client: new RecordingClient(runtime) });
    expect(health('a')).toMatchObject({
      requests: 2,
      failures: 1,
      tokensUsed: 10,
      successRate: 0.5,
      averageLatencyMs: 400,
      lastError: 'PROVIDER_UNAVAILABLE',
    });
    expect(health('a').firstOutputP95Ms).toBeGreaterThan(360);
    expect(health('a').firstOutputP95Ms).toBeLessThan(440);
  });

  it('shows only circuits that have seen a call', async () => {
    const { run, upstream, health } = createEngineHarness(['a', 'b']);
    upstream.always('a', answer(10, 'from a'));
    await run(['a', 'b', entryOf('a', { model: 'other-model' })]);
    expect(health('a').circuits.map(({ model }) => model)).toEqual(['a-model']);
    expect(health('b').circuits).toEqual([]);
  });

  it('shows a missing model as the reason only where no other is left', async () => {
    const { run, upstream, health } = createEngineHarness(['a']);
    upstream.script('a', fails('not_found'));
    await run(['a']);
    expect(health('a')).toMatchObject({ available: false, suspendedReason: 'not_found', circuit: 'CLOSED' });
    upstream.script('a', answer(10, 'there'));
    await run([entryOf('a', { model: 'there' })]);
    expect(health('a')).toMatchObject({ available: true, suspendedReason: undefined });
  });

  it('is available again when its suspension has ended', async () => {
    const { run, runtime, upstream, health } = createEngineHarness(['a']);
    upstream.script('a', fails('auth'));
    await run(['a']);
    expect(health('a').available).toBe(false);
    await runtime.advance(60_000);
    expect(health('a')).toMatchObject({ available: true, suspendedReason: undefined });
  });

  it('is not spoilt by a rate limit', async () => {
    const { run, upstream, health } = createEngineHarness(['a']);
    upstream.script('a', fails('rate_limit', { retryAfterMs: 60_000 }));
    await run(['a']);
    expect(health('a')).toMatchObject({ available: true, successRate: undefined, lastError: 'PROVIDER_RATE_LIMITED' });
    expect(health('a').rateLimitedForMs).toBeGreaterThanOrEqual(60_000);
  });
});

describe('the observer', () => {
  it('hears of every attempt when it has ended, and of nothing that was passed over', async () => {
    const { run, upstream, ended } = createEngineHarness(['a', 'b']);
    upstream.script('a', fails('auth'));
    upstream.script('b', answer(10, 'from b'), answer(10, 'from b'));
    const first = await run(['a', 'b']);
    expect(ended).toEqual(first.attempts);
    await run(['a', 'b']);
    expect(ended.map(({ kind, entry }) => `${kind} ${entry.target}`)).toEqual(['FIRST a', 'FAILOVER b', 'FIRST b']);
  });
});
