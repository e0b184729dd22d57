import { describe, expect, it } from 'vitest';

import type { FreeCheck, Usability } from '../../../../src/engine/target/checks/free-check.ts';
import { createEngineHarness, trailOf } from '../../../support/engine-harness.ts';
import { answer, fails } from '../../../support/upstream-scripts.ts';

/** A target whose circuit is open since time 0, and another that serves. */
async function stage(covers = true) {
  const asked: { readonly atMs: number; readonly signal: AbortSignal }[] = [];
  let says: Usability | 'nothing' = 'down';
  const check: FreeCheck = {
    covers: (_target, reason) => covers && reason === 'CIRCUIT_OPEN',
    run: (_target, signal) => {
      asked.push({ atMs: harness.runtime.now(), signal });
      return says === 'nothing' ? new Promise(() => {}) : Promise.resolve(says);
    },
  };
  const harness = createEngineHarness(['a', 'b'], { check, retry: { maxRepeats: 0 } });
  const { run, runtime, upstream } = harness;
  upstream.always('b', answer(0, 'from b'));
  upstream.always('a', fails('overload', {}, 0));
  for (let index = 0; index < 5; index++) await run(['a']);
  const who = async () => trailOf(await run(['a', 'b']))[0];
  const say = (what: typeof says): void => {
    says = what;
  };
  const reopensInMs = () => harness.health('a').circuits[0]?.reopensInMs;
  const askedAtMs = () => asked.map(({ atMs }) => atMs);
  return { ...harness, asked, askedAtMs, who, say, reopensInMs, runtime };
}

describe('a target whose circuit is open', () => {
  it('is asked for nothing when its circuit refuses somebody, once in five seconds at most', async () => {
    const { askedAtMs, runtime, who } = await stage();
    for (let call = 0; call < 20; call++) {
      await who();
      await runtime.advance(1_000);
    }
    expect(askedAtMs()).toEqual([0, 5_000, 10_000, 15_000]);
  });

  it('is asked nothing where nobody asks, and holds no timer', async () => {
    const { asked, runtime } = await stage();
    await runtime.advance(600_000);
    expect(asked).toEqual([]);
    expect(runtime.pendingTimers()).toBe(0);
  });

  it('costs no call before its cooldown is over while the free call fails, and has its probe at once when that succeeds', async () => {
    const { askedAtMs, runtime, upstream, who, say, health } = await stage();
    for (let call = 0; call < 12; call++) {
      expect(await who()).toBe('SKIPPED a local_refusal');
      await runtime.advance(1_000);
    }
    expect(upstream.openedAt('a')).toHaveLength(5);
    say('usable');
    upstream.always('a', answer(0, 'back'));
    await runtime.advance(3_000);
    expect(await who()).toBe('SKIPPED a local_refusal');
    expect(health('a').circuit).toBe('OPEN');
    expect(await who()).toBe('PROBE a ok');
    expect(askedAtMs()).toEqual([0, 5_000, 10_000, 15_000]);
  });

  it('has no probe for a free call that has never failed: it may answer that and nothing else', async () => {
    const { runtime, upstream, who, say } = await stage();
    say('usable');
    for (let second = 0; second < 120; second++) {
      await who();
      await runtime.advance(1_000);
    }
    // Of five failures, and of probes after 5, 10, 20 and 20 s each.
    const openedAt = upstream.openedAt('a').map((atMs) => Math.round(atMs / 1_000));
    expect(openedAt).toEqual([0, 0, 0, 0, 0, 5, 15, 35, 55, 75, 95, 115]);
  });

  it.each(['unusable', 'unknown'] as const)('is as before where it answers something else: %s', async (what) => {
    const { who, say, reopensInMs } = await stage();
    say(what);
    await who();
    expect(reopensInMs()).toBe(5_000);
  });

  it.each(['unusable', 'unknown'] as const)(
    'has its probe at once when it answers again, whatever it says: %s',
    async (what) => {
      const { runtime, upstream, who, say } = await stage();
      await who();
      say(what);
      upstream.always('a', answer(0, 'back'));
      await runtime.advance(6_000);
      expect([await who(), await who()]).toEqual(['SKIPPED a local_refusal', 'PROBE a ok']);
    },
  );

  it('is not asked where there is no free call, or an operator holds its circuit open', async () => {
    const none = await stage(false);
    await none.who();
    expect(none.asked).toEqual([]);
    const held = await stage();
    held.engine.force('a', 'OPEN');
    await held.who();
    expect(held.asked).toEqual([]);
  });

  it('is hung up on after five seconds, and when the engine goes down', async () => {
    const late = await stage();
    late.say('nothing');
    await late.who();
    await late.runtime.advance(4_999);
    expect(late.asked[0]?.signal.aborted).toBe(false);
    await late.runtime.advance(1);
    expect(late.asked[0]?.signal.aborted).toBe(true);
    const down = await stage();
    down.say('nothing');
    await down.who();
    down.engine.drain();
    expect(down.asked[0]?.signal.aborted).toBe(true);
    expect(down.runtime.pendingTimers()).toBe(0);
  });
});
