import { describe, expect, it } from 'vitest';

import type { TimingFacts } from '../../../src/engine/route/timing.ts';
import { attemptTiming } from '../../../src/engine/route/timing.ts';

function timing(facts: Partial<TimingFacts> = {}): ReturnType<typeof attemptTiming> {
  return attemptTiming({
    streams: true,
    silence: 'short',
    ownHost: true,
    usesToolsOrReasoning: false,
    maxTokens: undefined,
    promptTokens: 0,
    ...facts,
  });
}

describe('the timers of an attempt', () => {
  it.each([
    ['nothing keeps the output back', { silence: 'short' }, [12_000, 12_000, 12_000]],
    ['nothing is known of the model', { silence: 'unknown' }, [12_000, 12_000, 12_000]],
    ['a server of one’s own may read for long', { silence: 'unknown', ownHost: false }, [12_000, 12_000, 120_000]],
    ['a model thinks behind signs of life', { silence: 'behind_signs' }, [40_000, 12_000, 180_000]],
    ['a model thinks before the head', { silence: 'without_head' }, [120_000, 40_000, 180_000]],
    ['a model is loaded before the head', { silence: 'loaded' }, [120_000, 40_000, 180_000]],
  ] as const)('give the first output by what has come, no head, a head, a sign of life: %s', (_, facts, limits) => {
    const { noHeadMs, headAloneMs, firstOutputMs, firstOutputAdapts } = timing(facts);
    expect([noHeadMs, headAloneMs, firstOutputMs]).toEqual(limits);
    expect(firstOutputAdapts).toBe(true);
  });

  it('leave a dead target in 45 s where a thinking one would have shown a sign of life, and give that one 90 s and more', () => {
    for (const ownHost of [true, false]) {
      for (const silence of ['short', 'unknown', 'behind_signs'] as const) {
        expect(timing({ silence, ownHost }).noHeadMs).toBeLessThan(45_000);
        expect(timing({ silence, ownHost }).headAloneMs).toBeLessThan(45_000);
      }
      expect(timing({ silence: 'behind_signs', ownHost }).firstOutputMs).toBeGreaterThan(90_000);
      expect(timing({ silence: 'without_head', ownHost }).noHeadMs).toBeGreaterThan(90_000);
    }
  });

  it('give a whole answer one limit, whatever has come of it', () => {
    expect(timing({ streams: false, silence: 'unknown', ownHost: false })).toMatchObject({ firstOutputMs: 12_000 });
    for (const silence of ['behind_signs', 'without_head', 'loaded'] as const) {
      const whole = timing({ streams: false, silence, maxTokens: undefined });
      expect(whole.firstOutputMs).toBe(120_000);
      expect([whole.noHeadMs, whole.headAloneMs]).toEqual([undefined, undefined]);
    }
  });

  it('let the answer timer cover the thinking too where the request limits the tokens of both, but not the loading of a model', () => {
    const limited = { streams: false, maxTokens: 200 } as const;
    for (const silence of ['behind_signs', 'without_head'] as const) {
      expect(timing({ ...limited, silence })).toMatchObject({ firstOutputMs: 12_000, answerMs: 20_000 });
    }
    expect(timing({ ...limited, silence: 'loaded' })).toMatchObject({ firstOutputMs: 120_000, answerMs: 20_000 });
  });

  it('give a server of one’s own a second for every 1,000 tokens of the prompt, once its head has come', () => {
    const own = timing({ silence: 'unknown', ownHost: false, promptTokens: 100_000 });
    expect([own.noHeadMs, own.headAloneMs, own.firstOutputMs, own.promptMs]).toEqual([
      12_000, 102_000, 210_000, 10_000,
    ]);
    for (const known of [{ silence: 'unknown' }, { silence: 'short', ownHost: false }] as const) {
      expect(timing({ ...known, promptTokens: 100_000 })).toMatchObject({ headAloneMs: 12_000, firstOutputMs: 12_000 });
    }
  });

  it('add a second for every 10,000 tokens of the prompt', () => {
    expect([0, 9_999, 10_000, 25_000].map((promptTokens) => timing({ promptTokens }).promptMs)).toEqual([
      0, 0, 1_000, 2_000,
    ]);
  });

  it('stay as a person has set them, the caller before the configuration', () => {
    const set = { firstOutputMs: 60_000, progressMs: 5_000, promptTokens: 50_000, usesToolsOrReasoning: true };
    expect(timing(set)).toMatchObject({
      firstOutputMs: 60_000,
      firstOutputAdapts: false,
      promptMs: 0,
      progressMs: 5_000,
    });
    expect(timing({ ...set, silence: 'without_head' })).not.toHaveProperty('noHeadMs');
    expect(timing({ ...set, requestFirstOutputMs: 700 })).toMatchObject({
      firstOutputMs: 700,
      firstOutputAdapts: false,
    });
  });

  it('wait 30 s for progress, and 180 s with tools or reasoning', () => {
    expect(timing().progressMs).toBe(30_000);
    expect(timing({ usesToolsOrReasoning: true }).progressMs).toBe(180_000);
  });

  it('give an answer that is not streamed a second for every ten tokens that it may have', () => {
    expect(timing({ maxTokens: 500 }).answerMs).toBe(50_000);
    expect(timing().answerMs).toBe(102_400);
  });
});
