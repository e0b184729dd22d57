import { describe, expect, it } from 'vitest';

import type { TimingFacts } from '../../../src/engine/route/timing.ts';
import { attemptTiming } from '../../../src/engine/route/timing.ts';

function timing(facts: Partial<TimingFacts> = {}): ReturnType<typeof attemptTiming> {
  return attemptTiming({
    streams: true,
    mayBeSilent: false,
    usesToolsOrReasoning: false,
    maxTokens: undefined,
    promptTokens: 0,
    ...facts,
  });
}

describe('the timers of an attempt', () => {
  it('give 12 s to the first output, and 120 s to who may think or load in silence', () => {
    expect(timing()).toMatchObject({ firstOutputMs: 12_000, firstOutputAdapts: true });
    expect(timing({ mayBeSilent: true })).toMatchObject({ firstOutputMs: 120_000, firstOutputAdapts: true });
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
