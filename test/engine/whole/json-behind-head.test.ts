import { describe, expect, it } from 'vitest';

import type { AskOptions } from '../../support/engine-harness.ts';
import { createEngineHarness, failureOf, successOf } from '../../support/engine-harness.ts';
import type { Script } from '../../support/upstream-scripts.ts';
import { after, answer, END, failure, fails, headers, SILENCE } from '../../support/upstream-scripts.ts';

/** The upstream call does not stream: 30 s at most for the whole answer. */
const JSON_CALL: AskOptions = { timing: { streams: false, firstOutputMs: 30_000 } };
const HEAD = after(200, headers());
const RESET: Script = [HEAD, after(5_000, { type: 'error', failure: failure('reset') })];
const HINTED_RESET: Script = [
  HEAD,
  after(5_000, { type: 'error', failure: failure('reset', { retryAfterMs: 1_000 }) }),
];
const CUT: Script = [HEAD, after(5_000, END)];
const SILENT: Script = [HEAD];
const GARBAGE: Script = [HEAD, after(5_000, { type: 'error', failure: failure('protocol') })];
const EACH = [
  ['a reset', RESET],
  ['a cut', CUT],
  ['a reset that names a time', HINTED_RESET],
  ['silence', SILENT],
  ['garbage', GARBAGE],
] as const;

describe('an answer in JSON that breaks off behind its head', () => {
  it.each(EACH)('by %s is asked of the next target, not of the same one again', async (_, script) => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('a', script);
    upstream.script('b', answer(10, 'whole'));
    successOf(await run(['a', 'b'], JSON_CALL));
    expect(upstream.calls).toEqual(['a', 'b']);
  });

  it.each(EACH)('by %s is asked of the others in later rounds, too', async (_, script) => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('a', script);
    upstream.script('b', fails('overload'), fails('overload'), fails('overload'), answer(10, 'whole'));
    successOf(await run(['a', 'b'], JSON_CALL));
    expect(upstream.calls).toEqual(['a', 'b', 'b', 'b', 'b']);
  });

  it('is waited for at another target that asks for a moment, rather than bought twice', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('a', CUT);
    upstream.script('b', fails('rate_limit', { retryAfterMs: 8_000 }), answer(10, 'whole'));
    successOf(await run(['a', 'b'], JSON_CALL));
    expect(upstream.calls).toEqual(['a', 'b', 'b']);
  });

  it('is bought once more where the others cannot be asked any more', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('a', CUT, answer(10, 'whole'));
    upstream.script('b', fails('auth'));
    successOf(await run(['a', 'b'], JSON_CALL));
    expect(upstream.calls).toEqual(['a', 'b', 'a']);
  });

  it.each(EACH)('by %s is bought twice at most from a chain of one, in whatever order', async (_, script) => {
    for (const order of ['SAME_THEN_NEXT', 'NEXT_FIRST', 'EXHAUST_FIRST'] as const) {
      const { run, upstream } = createEngineHarness(['a'], { retry: { order } });
      upstream.always('a', script);
      expect((await run(['a'], { ...JSON_CALL, timeoutMs: 300_000 })).ok).toBe(false);
      expect(upstream.calls).toEqual(['a', 'a']);
    }
  });

  it('is bought twice at most in all, together with what hardly ever heals', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b', 'c']);
    upstream.always('a', CUT);
    upstream.always('b', SILENT);
    upstream.always('c', fails('protocol'));
    expect((await run(['a', 'b', 'c'], { ...JSON_CALL, timeoutMs: 300_000 })).ok).toBe(false);
    expect(upstream.calls).toHaveLength(4);
  });

  it('goes to the next target with EXHAUST_FIRST, too', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b'], { retry: { order: 'EXHAUST_FIRST' } });
    upstream.always('a', RESET);
    upstream.script('b', answer(10, 'whole'));
    successOf(await run(['a', 'b'], JSON_CALL));
    expect(upstream.calls).toEqual(['a', 'b']);
  });

  it('leaves half of a minute to the next target, where the same one has taken half of it', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.always('a', SILENT);
    upstream.script('b', fails('overload'), fails('overload'), answer(10, 'whole'));
    const result = successOf(await run(['a', 'b'], { ...JSON_CALL, timeoutMs: 60_000 }));
    expect(result.elapsedMs).toBeLessThan(45_000);
  });
});

describe('a call that breaks before any head, or has an answer that streams', () => {
  it('is repeated as its class says', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('a', fails('reset'), answer(10, 'whole'));
    successOf(await run(['a', 'b'], JSON_CALL));
    upstream.script('a', [after(10, headers(503)), after(10, END)], answer(10, 'whole'));
    successOf(await run(['a', 'b'], JSON_CALL));
    upstream.script('a', RESET, answer(10, 'whole'));
    successOf(await run(['a', 'b'], { timing: { streams: true } }));
    expect(upstream.calls).toEqual(['a', 'a', 'a', 'a', 'a', 'a']);
  });

  it('is repeated where its provider says behind the head that it has no answer', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('a', [HEAD, after(10, { type: 'error', failure: failure('overload') })], answer(10, 'whole'));
    successOf(await run(['a', 'b'], JSON_CALL));
    expect(upstream.calls).toEqual(['a', 'a']);
  });

  it('and is silent is asked again in a later round', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('a', SILENCE, answer(10, 'whole'));
    upstream.always('b', fails('overload'));
    successOf(await run(['a', 'b'], JSON_CALL));
    expect(failureOf(await run(['b'], JSON_CALL)).status).toBe('UNAVAILABLE');
  });
});
