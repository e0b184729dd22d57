import { describe, expect, it } from 'vitest';

import type { LimitReading } from '../../../src/core/ports.ts';
import { createEngineHarness, entryOf, failureOf, successOf, trailOf } from '../../support/engine-harness.ts';
import type { EngineHarness, HarnessOptions } from '../../support/engine-harness.ts';
import type { Script } from '../../support/upstream-scripts.ts';
import { after, answer, END, output, terminal } from '../../support/upstream-scripts.ts';

/** An answer whose headers say what is left. */
function saying(...limits: readonly LimitReading[]): Script {
  return [
    after(10, { type: 'headers', status: 200, limits }),
    after(0, output('hello')),
    after(0, terminal()),
    after(0, END),
  ];
}

const USED_UP: LimitReading = { dimension: 'requests', limit: 10, remaining: 0, resetInMs: 50_000 };

async function usedUp(options: HarnessOptions = {}): Promise<EngineHarness> {
  const harness = createEngineHarness(['a', 'b'], options);
  harness.upstream.script('a', saying(USED_UP));
  harness.upstream.always('a', answer(10, 'from a'));
  harness.upstream.always('b', answer(10, 'from b'));
  await harness.run(['a']);
  return harness;
}

describe('a target whose headers say that nothing is left', () => {
  it('is passed over until something is', async () => {
    const { run, runtime } = await usedUp();
    const result = await run(['a', 'b']);
    expect(trailOf(result)).toEqual(['SKIPPED a local_refusal', 'FIRST b ok']);
    expect(result.attempts[0]?.failure?.reason).toBe('PROVIDER_RATE_LIMITED');
    await runtime.advance(5_000);
    expect(trailOf(await run(['a', 'b']))).toEqual(['FIRST a ok']);
  });

  it('is waited for where no other is left and the deadline allows it', async () => {
    const { run } = await usedUp();
    const result = await run(['a']);
    expect(successOf(result).elapsedMs).toBe(5_010);
    expect(trailOf(result)).toEqual(['SKIPPED a local_refusal', 'FIRST a ok']);
  });

  it('is a rate limit to a caller who cannot wait, with the time to come again, and nobody was contacted', async () => {
    const { run, upstream } = await usedUp();
    const calls = upstream.calls.length;
    expect(failureOf(await run(['a'], { timeoutMs: 4_000 }))).toMatchObject({
      status: 'RESOURCE_EXHAUSTED',
      reason: 'PROVIDER_RATE_LIMITED',
      retryAfterMs: 5_000,
      contacted: false,
    });
    expect(upstream.calls).toHaveLength(calls);
  });

  it('is passed over for that model alone, on every target of the account', async () => {
    const { run } = await usedUp({ limitGroups: { a: 'account', b: 'account' } });
    const model = (target: string, name: string) => entryOf(target, { model: name, circuit: name });
    expect(trailOf(await run([model('a', 'another')]))).toEqual(['FIRST a ok']);
    expect(trailOf(await run([model('b', 'a-model'), model('b', 'b-model')]))).toEqual([
      'SKIPPED b local_refusal',
      'FIRST b ok',
    ]);
  });

  it('keeps its circuit, and its success rate', async () => {
    const { run, health } = await usedUp();
    await run(['a', 'b']);
    expect(health('a')).toMatchObject({ circuit: 'CLOSED', available: true, successRate: 1 });
  });
});

it('a call whose tokens do not fit is passed on once it is translated; a smaller one is not', async () => {
  const { run, runtime, upstream } = createEngineHarness(['a', 'b']);
  upstream.always('a', saying({ dimension: 'tokens', limit: 1_000, remaining: 400, resetInMs: 60_000 }));
  upstream.always('b', answer(10, 'from b'));
  const size = (input: number) => ({
    prepare: (entry: Parameters<typeof upstream.prepare>[0]) => ({
      ...upstream.prepare(entry, { streams: false }),
      tokens: { input, output: 100 },
    }),
  });
  await run(['a', 'b'], size(100));
  expect(trailOf(await run(['a', 'b'], size(301)))).toEqual(['SKIPPED a local_refusal', 'FIRST b ok']);
  expect(trailOf(await run(['a', 'b'], size(300)))).toEqual(['FIRST a ok']);
  expect(runtime.pendingTimers()).toBe(0);
});

it('calls sent at once use up what is left before any of their answers is there', async () => {
  const { ask, run, runtime, upstream } = createEngineHarness(['a', 'b']);
  upstream.script('a', saying({ dimension: 'requests', limit: 10, remaining: 2, resetInMs: 48_000 }));
  upstream.always('a', answer(1_000, 'from a'));
  upstream.always('b', answer(10, 'from b'));
  await run(['a']);
  const asked = Array.from({ length: 4 }, () => ask(['a', 'b']));
  await runtime.runUntilIdle();
  const targets = asked.map(({ settled }) => {
    const result = settled();
    return result?.ok === true ? result.serving.target : undefined;
  });
  expect(targets).toEqual(['a', 'a', 'b', 'b']);
});
