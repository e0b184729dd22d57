import { describe, expect, it } from 'vitest';

import { createEngineHarness, failureOf, successOf, trailOf } from '../../support/engine-harness.ts';
import { answer, fails } from '../../support/upstream-scripts.ts';

/** A target of which ten calls are under way when it complains once: seven may stay. */
async function afterComplaint(more: Parameters<typeof fails>[1] = { retryAfterMs: 1 }) {
  const harness = createEngineHarness(['a', 'b'], { retry: { maxRepeats: 0 } });
  const { ask, runtime, upstream } = harness;
  upstream.always('a', answer(3_000, 'from a'));
  upstream.always('b', answer(10, 'from b'));
  upstream.script('a', fails(more.httpStatus === undefined ? 'rate_limit' : 'overload', more, 100));
  const asked = Array.from({ length: 10 }, () => ask(['a']));
  await runtime.advance(200);
  return { ...harness, asked };
}

describe('a target that has complained', () => {
  it.each([
    ['of its rate', { retryAfterMs: 1 }],
    ['of overload, 529', { httpStatus: 529 }],
    ['of overload, 503', { httpStatus: 503 }],
    ['of overload within a stream', { httpStatus: 200, providerCode: 'overloaded_error' }],
  ])('%s takes no more than 0.7 of what was under way; others get what is above', async (_what, more) => {
    const { run, runtime, upstream, asked, health } = await afterComplaint(more);
    expect(health('a').inFlight).toBe(9);
    expect(trailOf(await run(['a', 'b']))).toEqual(['SKIPPED a local_refusal', 'FIRST b ok']);
    await runtime.advance(3_000);
    for (const { settled } of asked) expect(settled()).toBeDefined();
    expect(health('a').inFlight).toBe(0);
    expect(trailOf(await run(['a', 'b']))).toEqual(['FIRST a ok']);
    expect(upstream.openCalls()).toBe(0);
  });

  it('is waited for where no other is left, for a second at most, and then the caller may come again', async () => {
    const { run, runtime, upstream } = await afterComplaint();
    const calls = upstream.calls.length;
    const result = await run(['a']);
    expect(failureOf(result)).toMatchObject({
      status: 'UNAVAILABLE',
      reason: 'OVERLOADED',
      contacted: false,
      retryAfterMs: 1_000,
    });
    expect(result.elapsedMs).toBe(1_000);
    expect(trailOf(result)).toEqual(['SKIPPED a local_refusal']);
    expect(upstream.calls).toHaveLength(calls);
    await runtime.runUntilIdle();
  });

  it('is asked within 50 ms of the end of a call of it', async () => {
    const { run, runtime } = await afterComplaint();
    await runtime.advance(2_500);
    const result = await run(['a']);
    expect(successOf(result).attempts.at(-1)).toMatchObject({ kind: 'FIRST', startedAfterMs: 350 });
  });

  it('takes one more with each success at its limit', async () => {
    const { ask, runtime, health } = await afterComplaint();
    await runtime.advance(3_000);
    const asked = Array.from({ length: 20 }, () => ask(['a', 'b']));
    await runtime.settle();
    // The nine that were under way were at or above the limit of seven until the last three ended.
    const inFlight = health('a').inFlight;
    expect(inFlight).toBeGreaterThan(7);
    expect(inFlight).toBeLessThan(12);
    await runtime.runUntilIdle();
    for (const { settled } of asked) expect(settled()?.ok).toBe(true);
  });
});
