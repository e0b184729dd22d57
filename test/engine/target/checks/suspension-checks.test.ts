import { describe, expect, it } from 'vitest';

import type { FailureReason } from '../../../../src/core/failure.ts';
import type { FreeCheck, Usability } from '../../../../src/engine/target/checks/free-check.ts';
import { createEngineHarness, trailOf } from '../../../support/engine-harness.ts';
import { answer, fails } from '../../../support/upstream-scripts.ts';

/** Free calls that answer as told, and a record of when they were made. */
class ScriptedCheck implements FreeCheck {
  readonly tells: readonly FailureReason[];
  readonly askedAtMs: number[] = [];
  aborted = 0;
  says: Usability | 'nothing' | 'fault' = 'unknown';
  now = (): number => 0;

  constructor(tells: readonly FailureReason[] = ['PROVIDER_AUTH_FAILED', 'PROVIDER_QUOTA_EXHAUSTED']) {
    this.tells = tells;
  }

  covers(_target: string, reason: FailureReason): boolean {
    return this.tells.includes(reason);
  }

  async run(_target: string, signal: AbortSignal): Promise<Usability> {
    this.askedAtMs.push(this.now());
    signal.addEventListener('abort', () => this.aborted++, { once: true });
    if (this.says === 'fault') throw new Error('a fault');
    if (this.says === 'nothing') return new Promise(() => {});
    return this.says;
  }
}

function stage(check = new ScriptedCheck(), targets: readonly string[] = ['a', 'b']) {
  const harness = createEngineHarness(targets, { check });
  check.now = () => harness.runtime.now();
  harness.upstream.always('b', answer(0, 'from b'));
  const suspend = async (failureClass: 'auth' | 'quota', more: { readonly retryAfterMs?: number } = {}) => {
    harness.upstream.script('a', fails(failureClass, more, 0));
    await harness.run(['a', 'b']);
    harness.upstream.always('a', answer(0, 'from a'));
  };
  const who = async () => (await harness.run(['a', 'b'])).attempts.at(-1)?.entry.target;
  return { ...harness, check, suspend, who };
}

describe('a target whose key is refused', () => {
  it('is asked for nothing shortly before its minute is over, and used again once that says so', async () => {
    const { check, suspend, runtime, who, health } = stage();
    check.says = 'usable';
    await suspend('auth');
    await runtime.advance(54_999);
    expect(check.askedAtMs).toEqual([]);
    expect(await who()).toBe('b');
    await runtime.advance(1);
    expect(check.askedAtMs).toEqual([55_000]);
    expect(health('a')).toMatchObject({ available: true, suspendedReason: undefined });
    expect(await who()).toBe('a');
    expect(runtime.pendingTimers()).toBe(0);
  });

  it('keeps a target out of use while it is unusable, at the cost of one free call a minute and of no request', async () => {
    const { check, suspend, runtime, who, upstream } = stage();
    check.says = 'unusable';
    await suspend('auth');
    for (let minute = 0; minute < 30; minute++) {
      await runtime.advance(20_000);
      expect(await who()).toBe('b');
    }
    expect(upstream.openedAt('a')).toHaveLength(1);
    expect(check.askedAtMs).toEqual([55, 115, 175, 235, 295, 355, 415, 475, 535, 595].map((second) => second * 1_000));
    check.says = 'usable';
    await runtime.advance(60_000);
    expect(await who()).toBe('a');
  });

  it('is left to the next request where nothing is learnt', async () => {
    for (const says of ['unknown', 'fault', 'nothing'] as const) {
      const { check, suspend, runtime, who } = stage();
      check.says = says;
      await suspend('auth');
      await runtime.advance(59_999);
      expect(await who()).toBe('b');
      await runtime.advance(1);
      expect(await who()).toBe('a');
      expect(check.askedAtMs).toEqual([55_000]);
      expect(runtime.pendingTimers()).toBe(0);
    }
  });

  it('is given five seconds to answer, and its call is ended then', async () => {
    const { check, suspend, runtime } = stage();
    check.says = 'nothing';
    await suspend('auth');
    await runtime.advance(59_999);
    expect(check.aborted).toBe(0);
    await runtime.advance(1);
    expect(check.aborted).toBe(1);
  });

  it('is asked once a minute at most, however often it is suspended', async () => {
    const { check, suspend, runtime } = stage();
    check.says = 'usable';
    for (let time = 0; time < 20; time++) {
      await suspend('auth');
      await runtime.advance(17_000);
    }
    const gaps = check.askedAtMs.slice(1).map((atMs, index) => atMs - (check.askedAtMs[index] ?? 0));
    expect(gaps.length).toBeGreaterThan(3);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(60_000);
  });
});

describe('a target whose quota is used up', () => {
  it('is asked every minute, and used before its five minutes are over', async () => {
    const { check, suspend, runtime, who } = stage();
    check.says = 'unknown';
    await suspend('quota');
    await runtime.advance(120_000);
    expect(check.askedAtMs).toEqual([55_000, 115_000]);
    check.says = 'usable';
    expect(await who()).toBe('b');
    await runtime.advance(55_000);
    expect(await who()).toBe('a');
  });

  it('is not asked where a free call can tell nothing of it', async () => {
    const { check, suspend, runtime } = stage(new ScriptedCheck(['PROVIDER_AUTH_FAILED']));
    check.says = 'usable';
    await suspend('quota');
    expect(runtime.pendingTimers()).toBe(0);
    await runtime.advance(400_000);
    expect(check.askedAtMs).toEqual([]);
  });

  it('is not used again because a free call finds its key good, which was refused before', async () => {
    const { check, ask, health, runtime, upstream, who } = stage(new ScriptedCheck(['PROVIDER_AUTH_FAILED']));
    check.says = 'usable';
    upstream.script('a', fails('auth', {}, 0));
    upstream.script('a', fails('quota', {}, 10_000));
    for (const { result } of [ask(['a', 'b']), ask(['a', 'b'])]) void result;
    await runtime.advance(60_000);
    expect(health('a').suspendedReason).toBe('quota');
    expect(check.askedAtMs).toEqual([]);
    await runtime.advance(249_999);
    expect(await who()).toBe('b');
  });

  it('is not used again because a free call under way finds its key good', async () => {
    const { check, ask, health, runtime, upstream } = stage(new ScriptedCheck(['PROVIDER_AUTH_FAILED']));
    const said = Promise.withResolvers<Usability>();
    check.run = () => said.promise;
    upstream.script('a', fails('auth', {}, 0));
    upstream.script('a', fails('quota', {}, 56_000));
    const patient = { timing: { firstOutputMs: 120_000 } };
    for (const { result } of [ask(['a', 'b'], patient), ask(['a', 'b'], patient)]) void result;
    await runtime.advance(57_000);
    said.resolve('usable');
    await runtime.settle();
    expect(health('a').suspendedReason).toBe('quota');
    expect(runtime.pendingTimers()).toBe(0);
  });

  it('is not used earlier than its provider has said', async () => {
    const { check, suspend, runtime, who } = stage();
    check.says = 'usable';
    await suspend('quota', { retryAfterMs: 200_000 });
    await runtime.advance(199_999);
    expect(check.askedAtMs.length).toBeGreaterThan(0);
    expect(await who()).toBe('b');
    await runtime.advance(1);
    expect(await who()).toBe('a');
  });
});

describe('a check', () => {
  it('never closes or opens a circuit', async () => {
    const check = new ScriptedCheck();
    const { engine, run, runtime, upstream, health } = createEngineHarness(['a'], { check, retry: { maxRepeats: 0 } });
    check.says = 'usable';
    for (let call = 0; call < 5; call++) {
      upstream.script('a', fails('overload', {}, 0));
      await run(['a']);
    }
    upstream.script('a', fails('auth', {}, 0));
    await runtime.advance(30_000);
    expect(trailOf(await run(['a']))).toEqual(['PROBE a auth']);
    const before = engine.snapshot();
    await runtime.advance(55_000);
    expect(check.askedAtMs).toHaveLength(1);
    expect(health('a')).toMatchObject({ suspendedReason: undefined, circuit: 'HALF_OPEN' });
    expect(engine.snapshot()[0]?.circuits[0]?.breaker).toMatchObject({
      state: 'HALF_OPEN',
      generation: before[0]?.circuits[0]?.breaker.generation,
    });
    upstream.script('a', answer(0, 'hello'));
    expect(trailOf(await run(['a']))).toEqual(['PROBE a ok']);
  });

  it('is not made for what is not suspended: rate limits, missing models', async () => {
    const check = new ScriptedCheck(['PROVIDER_AUTH_FAILED', 'PROVIDER_RATE_LIMITED', 'PROVIDER_MODEL_NOT_FOUND']);
    const { run, runtime, upstream } = createEngineHarness(['a'], { check, retry: { maxRepeats: 0 } });
    upstream.script('a', fails('rate_limit', { retryAfterMs: 60_000 }, 0), fails('not_found', {}, 0));
    await run(['a'], { timeoutMs: 1_000 });
    await runtime.advance(70_000);
    await run(['a']);
    await runtime.advance(120_000);
    expect(check.askedAtMs).toEqual([]);
  });

  it('is of no account where an operator has reset the target meanwhile', async () => {
    const { check, suspend, runtime, who, engine } = stage();
    check.says = 'unusable';
    await suspend('auth');
    engine.reset('a');
    expect(await who()).toBe('a');
    await runtime.advance(60_000);
    expect(check.askedAtMs).toEqual([]);
    expect(await who()).toBe('a');
  });

  it('is ended when the engine goes down, in whatever phase', async () => {
    const waiting = stage();
    await waiting.suspend('auth');
    waiting.engine.drain();
    expect(waiting.runtime.pendingTimers()).toBe(0);

    const asking = stage();
    asking.check.says = 'nothing';
    await asking.suspend('auth');
    await asking.runtime.advance(55_000);
    asking.engine.drain();
    expect(asking.check.aborted).toBe(1);
    expect(asking.runtime.pendingTimers()).toBe(0);
  });
});
