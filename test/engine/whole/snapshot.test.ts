import { describe, expect, it } from 'vitest';

import { createEngineHarness, trailOf } from '../../support/engine-harness.ts';
import { answer, fails, SILENCE } from '../../support/upstream-scripts.ts';

describe('an engine that goes on from what another knew', () => {
  it('keeps away from a target for as long as its provider has asked', async () => {
    const before = createEngineHarness(['a', 'b']);
    before.upstream.script('a', fails('rate_limit', { retryAfterMs: 60_000 }, 0));
    before.upstream.always('b', answer(0, 'from b'));
    await before.run(['a', 'b']);
    await before.runtime.advance(10_000);

    const after = createEngineHarness(['a', 'b']);
    after.engine.restore(before.engine.snapshot());
    after.upstream.always('a', answer(0, 'from a'));
    after.upstream.always('b', answer(0, 'from b'));
    await after.runtime.advance(49_999);
    expect(trailOf(await after.run(['a', 'b']))).toEqual(['SKIPPED a local_refusal', 'FIRST b ok']);
    // The cooldown of the other engine had its jitter, and has another on top.
    await after.runtime.advance(2_100);
    expect(trailOf(await after.run(['a', 'b']))).toEqual(['FIRST a ok']);
  });

  it('takes a target that was silent three times in a row for silent still, however little time its callers have', async () => {
    const asked = { timeoutMs: 2_000, timing: { streams: true } };
    const before = createEngineHarness(['a', 'b']);
    before.upstream.always('a', answer(300, 'from a'));
    before.upstream.always('b', answer(300, 'from b'));
    for (let call = 0; call < 20; call++) await before.run(['a'], asked);
    before.upstream.always('a', SILENCE);
    for (let call = 0; call < 5; call++) await before.run(['a', 'b'], asked);

    const after = createEngineHarness(['a', 'b']);
    after.engine.restore(structuredClone(before.engine.snapshot()));
    after.upstream.always('a', SILENCE);
    after.upstream.always('b', answer(300, 'from b'));
    for (let call = 0; call < 200; call++) {
      await after.run(['a', 'b'], asked);
      await after.runtime.advance(1_000);
    }
    // A probe every half minute.
    expect(after.upstream.calls.filter((target) => target === 'a').length).toBeLessThanOrEqual(9);
    expect(after.health('a').circuit).toBe('OPEN');
    after.upstream.always('a', answer(300, 'from a'));
    await after.runtime.advance(30_000);
    expect(trailOf(await after.run(['a', 'b'], asked))).toEqual(['PROBE a ok']);
  });

  it('tries again what a new configuration may have cured, and passes over targets that it does not have', async () => {
    const before = createEngineHarness(['a', 'gone']);
    before.upstream.script('a', fails('auth', {}, 0));
    await before.run(['a']);
    expect(before.health('a').suspendedReason).toBe('auth');

    const after = createEngineHarness(['a']);
    after.engine.restore(before.engine.snapshot());
    after.upstream.always('a', answer(0, 'from a'));
    expect(trailOf(await after.run(['a']))).toEqual(['FIRST a ok']);
  });
});
