import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenEstimator } from '../../src/pricing/estimate.ts';

describe('TokenEstimator', () => {
  it.each([
    // ceil(3,500 / 3.5) + 4 x 2
    ['openai/gpt-6.1-sol', 1_008],
    ['anthropic/claude-3-5-sonnet-20241022', 1_008],
    ['anthropic/claude-haiku-4-5-20251001', 1_008],
    ['anthropic/claude-sonnet-4-20250514', 1_008],
    ['vllm/claude-opus-5', 1_008],
    // ceil(3,500 / 2.8) + 4 x 2
    ['anthropic/claude-opus-4-7', 1_258],
    ['anthropic/claude-opus-4-8', 1_258],
    ['anthropic/claude-sonnet-5', 1_258],
    ['anthropic/claude-haiku-5-5', 1_258],
  ])('begins with the usual ratio of %s', (key, tokens) => {
    expect(new TokenEstimator().estimate(key, 3_500, 2)).toBe(tokens);
  });

  it('moves a fifth of the way to what was reported', () => {
    const estimator = new TokenEstimator();
    // 0.5 tokens per byte were reported: 2/7 + 0.2 x (0.5 - 2/7) = 0.328571; x 7,000 = 2,300
    estimator.learn('openai/m', 7_000, 1, 3_504);
    expect(estimator.estimate('openai/m', 7_000, 0)).toBeGreaterThanOrEqual(2_300);
    expect(estimator.estimate('openai/m', 7_000, 0)).toBeLessThanOrEqual(2_301);
  });

  it('asks a budget for no less than its first guess, whatever callers have taught it', () => {
    const estimator = new TokenEstimator();
    // Prompts of blanks: a token for each 20 bytes.
    for (let call = 0; call < 40; call += 1) estimator.learn('openai/m', 100_000, 0, 5_000);
    expect(estimator.estimate('openai/m', 3_500, 2)).toBeLessThan(200);
    expect(estimator.most('openai/m', 3_500, 2)).toBe(1_008);
    for (let call = 0; call < 40; call += 1) estimator.learn('openai/m', 10_000, 0, 10_000);
    expect(estimator.most('openai/m', 3_500, 2)).toBe(estimator.estimate('openai/m', 3_500, 2));
  });

  it('learns each key alone and comes close to what is reported again and again', () => {
    const estimator = new TokenEstimator();
    for (let call = 0; call < 40; call += 1) {
      estimator.learn('openai/m', 10_000, 3, 5_012);
    }
    expect(Math.abs(estimator.estimate('openai/m', 10_000, 3) - 5_012)).toBeLessThanOrEqual(2);
    expect(estimator.estimate('openai/other', 3_500, 0)).toBe(1_000);
  });

  it.each([
    ['a short prompt', 255, 1, 200],
    ['no prompt', 0, 0, 0],
    ['no tokens', 1_000, 1, 0],
    ['fewer tokens than the messages alone', 1_000, 10, 39],
    ['absurdly many tokens', 1_000, 0, 2_001],
    ['what is no number', 1_000, 0, Number.NaN],
  ])('learns nothing from %s', (_, bytes, messages, inputTokens) => {
    const estimator = new TokenEstimator();
    estimator.learn('openai/m', bytes, messages, inputTokens);
    expect(estimator.estimate('openai/m', 3_500, 0)).toBe(1_000);
  });

  it('forgets the key that it learned of longest ago after a thousand', () => {
    const estimator = new TokenEstimator();
    estimator.learn('openai/first', 1_000, 0, 1_000);
    estimator.learn('openai/second', 1_000, 0, 1_000);
    for (let key = 0; key < 998; key += 1) {
      estimator.learn(`openai/${key}`, 1_000, 0, 1_000);
    }
    const learned = estimator.estimate('openai/second', 3_500, 0);
    expect(learned).toBeGreaterThan(1_000);
    estimator.learn('openai/first', 1_000, 0, 1_000);
    estimator.learn('openai/one-more', 1_000, 0, 1_000);
    expect(estimator.estimate('openai/second', 3_500, 0)).toBe(1_000);
    expect(estimator.estimate('openai/first', 3_500, 0)).toBeGreaterThan(learned);
  });

  it('never estimates less for more', () => {
    fc.assert(
      fc.property(fc.nat(10_000_000), fc.nat(10_000_000), fc.nat(1_000), (bytes, more, messages) => {
        const estimator = new TokenEstimator();
        expect(estimator.estimate('k', bytes + more, messages)).toBeGreaterThanOrEqual(
          estimator.estimate('k', bytes, messages),
        );
      }),
    );
  });
});
