import { describe, expect, it } from 'vitest';

import { DEFAULT_ENGINE_CONFIG, type EngineConfig } from '../../../src/engine/port/config.ts';
import type { KeptKnowledge } from '../../../src/engine/port/kept-knowledge.ts';
import { createEngineHarness, type EngineHarness, trailOf } from '../../support/engine-harness.ts';
import { answer, fails, SILENCE } from '../../support/upstream-scripts.ts';

const CONFIG: EngineConfig = { ...DEFAULT_ENGINE_CONFIG, retry: { ...DEFAULT_ENGINE_CONFIG.retry, jitter: 'NONE' } };

/** Goes on with some targets, of which as much as is said is kept. */
function configure(
  { engine }: EngineHarness,
  targets: readonly string[],
  kept: KeptKnowledge = 'ALL',
  changes: Partial<EngineConfig> = {},
): void {
  const made = targets.map((name) => ({ name, provider: name, limitGroup: name, ownHost: true }));
  engine.configure({ ...CONFIG, ...changes }, made, () => kept);
}

/** Opens the circuit of a target. */
async function open(harness: EngineHarness, target: string): Promise<void> {
  harness.upstream.always(target, fails('overload', {}, 0));
  for (let call = 0; call < 6; call++) await harness.run([target], { timeoutMs: 500 });
  expect(harness.health(target).circuit).toBe('OPEN');
}

describe('an engine that goes on with another configuration', () => {
  it('keeps circuits, counts and statistics of targets that are as they were', async () => {
    const harness = createEngineHarness(['a', 'b']);
    await open(harness, 'a');
    const before = harness.health('a');
    configure(harness, ['a', 'c']);
    expect(harness.health('a')).toEqual(before);
    expect(harness.engine.health().map(({ target }) => target)).toEqual(['a', 'c']);
  });

  it('lets a call that is under way end as it began, also on a target that is no more', async () => {
    const harness = createEngineHarness(['a', 'b']);
    harness.upstream.script('a', fails('overload', {}, 1_000));
    harness.upstream.always('b', answer(1_000, 'from b'));
    const asked = harness.ask(['a', 'b']);
    await harness.runtime.advance(500);
    configure(harness, ['c']);
    await harness.runtime.advance(10_000);
    expect(asked.settled()).toMatchObject({ ok: true, serving: { target: 'b' } });
  });

  it('counts what is under way in the targets that stay, and takes it off again', async () => {
    const harness = createEngineHarness(['a']);
    harness.upstream.always('a', answer(1_000, 'late'));
    const asked = harness.ask(['a']);
    await harness.runtime.advance(500);
    configure(harness, ['a'], 'ALL_BUT_ACCOUNT');
    expect([harness.health('a').inFlight, harness.engine.load.active]).toEqual([1, 1]);
    await harness.runtime.advance(1_000);
    expect((await asked.result).ok).toBe(true);
    expect([harness.health('a').inFlight, harness.engine.load.active, harness.health('a').requests]).toEqual([0, 0, 1]);
  });

  it('tries a target with another key at once, though it was suspended, and keeps its circuit and its rate limit', async () => {
    const harness = createEngineHarness(['a', 'b']);
    harness.upstream.script('a', fails('auth', {}, 0));
    await harness.run(['a']);
    expect(harness.health('a').suspendedReason).toBe('auth');
    configure(harness, ['a', 'b'], 'ALL');
    expect(harness.health('a').suspendedReason).toBe('auth');
    configure(harness, ['a', 'b'], 'ALL_BUT_ACCOUNT');
    expect(harness.health('a').suspendedReason).toBeUndefined();
    harness.upstream.script('a', fails('rate_limit', { retryAfterMs: 60_000 }, 0));
    await harness.run(['a'], { timeoutMs: 1_000 });
    configure(harness, ['a', 'b'], 'ALL_BUT_ACCOUNT');
    expect(harness.health('a').rateLimitedForMs).toBeGreaterThan(50_000);
  });

  it('does not suspend the new key for what the old one is refused', async () => {
    const harness = createEngineHarness(['a', 'b']);
    harness.upstream.script('a', fails('auth', {}, 1_000));
    harness.upstream.always('a', answer(0, 'from a'));
    harness.upstream.always('b', answer(0, 'from b'));
    const asked = harness.ask(['a', 'b']);
    await harness.runtime.advance(500);
    configure(harness, ['a', 'b'], 'ALL_BUT_ACCOUNT');
    await harness.runtime.advance(1_000);
    expect(trailOf(await asked.result)).toEqual(['FIRST a auth', 'FAILOVER b ok']);
    expect(harness.health('a').suspendedReason).toBeUndefined();
    expect(trailOf(await harness.run(['a', 'b']))).toEqual(['FIRST a ok']);
  });

  it('knows nothing of a target that is another upstream', async () => {
    const harness = createEngineHarness(['a']);
    await open(harness, 'a');
    configure(harness, ['a'], 'NOTHING');
    expect(harness.health('a')).toMatchObject({ circuit: 'CLOSED', requests: 0 });
  });

  it('holds circuits to other settings, and closes none', async () => {
    const harness = createEngineHarness(['a', 'b']);
    await open(harness, 'a');
    const circuitBreaker = { ...CONFIG.circuitBreaker, failures: 1 };
    configure(harness, ['a', 'b'], 'ALL', { circuitBreaker });
    expect(harness.health('a').circuit).toBe('OPEN');
    harness.upstream.always('b', fails('overload', {}, 0));
    await harness.run(['b'], { timeoutMs: 100 });
    expect(harness.health('b').circuit).toBe('OPEN');
  });

  it('lets those in who wait for a slot, as soon as there are more', async () => {
    const admission = { ...CONFIG.admission, maxActive: 1, maxShare: 100 };
    const harness = createEngineHarness(['a'], { admission });
    harness.upstream.always('a', answer(3_000, 'late'));
    const [first, second] = [harness.ask(['a']), harness.ask(['a'])];
    await harness.runtime.advance(100);
    expect(harness.engine.load).toMatchObject({ active: 1, queued: 1 });
    configure(harness, ['a'], 'ALL', { admission: { ...admission, maxActive: 2 } });
    expect(harness.engine.load).toMatchObject({ active: 2, queued: 0, maxActive: 2 });
    await harness.runtime.advance(10_000);
    expect([(await first.result).ok, (await second.result).ok]).toEqual([true, true]);
  });

  it('asks no more for a target that it has suspended and has no more', async () => {
    const asked: string[] = [];
    const check = {
      covers: () => true,
      run: (target: string) => {
        asked.push(target);
        return Promise.resolve('unusable' as const);
      },
    };
    const harness = createEngineHarness(['a', 'b'], { check });
    harness.upstream.always('a', fails('auth', {}, 0));
    harness.upstream.always('b', SILENCE);
    await harness.run(['a']);
    configure(harness, ['b']);
    await harness.runtime.advance(600_000);
    expect(asked).toEqual([]);
  });
});
