import { describe, expect, it } from 'vitest';

import type { AskOptions } from '../../support/engine-harness.ts';
import { createEngineHarness, failureOf, successOf, trailOf } from '../../support/engine-harness.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import { after, answer, breaksAfter, fails, headers, failure } from '../../support/upstream-scripts.ts';

/** A whole answer from an upstream call that streams. */
const UNARY: AskOptions = { timing: { streams: true } };
const BROKEN = breaksAfter(['half '], 'reset');
const REFUSALS = ['content', 'bad_request'] as const;

describe('a request that one target has begun to answer', () => {
  it.each(REFUSALS)('is asked of the others where the next one refuses it (%s)', async (refusal) => {
    const { run, upstream } = createEngineHarness(['a', 'b', 'c']);
    upstream.script('a', BROKEN);
    upstream.script('b', fails(refusal));
    upstream.script('c', answer(10, 'whole'));
    expect(trailOf(await run(['a', 'b', 'c'], UNARY))).toEqual([
      'FIRST a reset',
      `FAILOVER b ${refusal}`,
      'FAILOVER c ok',
    ]);
  });

  it.each(REFUSALS)('is asked of the one again that had begun where the others refuse it (%s)', async (refusal) => {
    const { run, runtime, upstream } = createEngineHarness(['a', 'b']);
    const client = new RecordingClient(runtime);
    upstream.always('b', fails(refusal));
    for (const [ask, first] of [
      [UNARY, 'reset'],
      [{ client, recovery: 'RESTART' }, 'interrupted'],
    ] as const) {
      upstream.script('a', BROKEN, answer(10, 'whole'));
      const result = successOf(await run(['a', 'b'], ask));
      const second = first === 'reset' ? 'FAILOVER' : 'RESTART';
      expect(trailOf(result)).toEqual([`FIRST a ${first}`, `${second} b ${refusal}`, 'RETRY a ok']);
    }
    expect(client.text).toBe('whole');
  });

  it.each(REFUSALS)('is told how its answer broke off where nothing works, not to be wrong (%s)', async (refusal) => {
    const { run, runtime, upstream } = createEngineHarness(['a', 'b'], { circuitBreaker: { failures: 1_000 } });
    upstream.always('a', BROKEN);
    upstream.always('b', fails(refusal));
    expect(failureOf(await run(['a', 'b'], UNARY))).toMatchObject({
      status: 'UNAVAILABLE',
      reason: 'PROVIDER_UNAVAILABLE',
      contacted: true,
    });
    const client = new RecordingClient(runtime);
    expect(failureOf(await run(['a', 'b'], { client, recovery: 'RESTART' }))).toMatchObject({
      status: 'ABORTED',
      reason: 'STREAM_INTERRUPTED',
    });
  });

  it('is not told to be wrong by the same target in a later round, either', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('a', fails('silence'), fails('content'));
    upstream.script('b', BROKEN, fails('content'));
    const result = await run(['a', 'b'], UNARY);
    expect(trailOf(result)).toEqual(['FIRST a silence', 'FAILOVER b reset', 'RETRY a content', 'RETRY b content']);
    expect(failureOf(result)).toMatchObject({ status: 'UNAVAILABLE', reason: 'PROVIDER_UNAVAILABLE' });
  });

  it('may have begun with the head of an answer in JSON', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.always('a', [after(10, headers()), after(10, { type: 'error', failure: failure('reset') })]);
    upstream.always('b', fails('content'));
    const result = await run(['a', 'b'], { timing: { streams: false } });
    expect(trailOf(result)).toEqual(['FIRST a reset', 'FAILOVER b content', 'RETRY a reset']);
    expect(failureOf(result)).toMatchObject({ status: 'UNAVAILABLE', reason: 'PROVIDER_UNAVAILABLE' });
  });

  it('was not begun by a page of a proxy where JSON was to come', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b', 'c']);
    upstream.script('a', [after(10, headers()), after(10, { type: 'error', failure: failure('protocol') })]);
    upstream.script('b', fails('content'));
    const result = await run(['a', 'b', 'c'], { timing: { streams: false } });
    expect(failureOf(result)).toMatchObject({ status: 'INVALID_ARGUMENT', reason: 'PROMPT_BLOCKED' });
    expect(upstream.calls).toEqual(['a', 'b']);
  });

  it('is too long for the next one as ever', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.always('a', BROKEN);
    upstream.always('b', fails('capability'));
    expect(failureOf(await run(['a', 'b'], UNARY))).toMatchObject({
      status: 'UNAVAILABLE',
      reason: 'ALL_PROVIDERS_FAILED',
    });
  });

  it('still ends by its deadline, as such', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.always('a', breaksAfter(['half '], 'reset', 2_000));
    upstream.always('b', fails('content'));
    const result = await run(['a', 'b'], { ...UNARY, timeoutMs: 12_000 });
    expect(failureOf(result).status).not.toBe('INVALID_ARGUMENT');
  });
});

describe('a refusal before any target has begun to answer', () => {
  it.each(REFUSALS)('ends the request (%s)', async (refusal) => {
    const { run, upstream } = createEngineHarness(['a', 'b', 'c']);
    upstream.script('a', fails('silence'));
    upstream.script('b', fails(refusal));
    expect(failureOf(await run(['a', 'b', 'c'], UNARY)).status).toBe('INVALID_ARGUMENT');
    expect(upstream.calls).toEqual(['a', 'b']);
  });

  it('ends it also where the same answer had begun: it is the last word of who gave it', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('a', breaksAfter(['half '], 'content'));
    expect(failureOf(await run(['a', 'b'], UNARY))).toMatchObject({ reason: 'PROMPT_BLOCKED' });
    expect(upstream.calls).toEqual(['a']);
  });
});
