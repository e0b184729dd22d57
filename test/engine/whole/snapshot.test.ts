import { describe, expect, it } from 'vitest';

import { createEngineHarness, trailOf } from '../../support/engine-harness.ts';
import { answer, fails } from '../../support/upstream-scripts.ts';

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
