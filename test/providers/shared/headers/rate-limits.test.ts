import { describe, expect, it } from 'vitest';

import { adapterFor } from '../../../../src/providers/registry.ts';
import { anthropicLimits, openAiLimits } from '../../../../src/providers/shared/headers/rate-limits.ts';

const WALL_MS = Date.UTC(2026, 10, 22, 12, 0, 0);

function openAi(limit: string, remaining: string, reset: string) {
  return openAiLimits({
    'x-ratelimit-limit-requests': limit,
    'x-ratelimit-remaining-requests': remaining,
    'x-ratelimit-reset-requests': reset,
  });
}

function anthropic(reset: string, more: Readonly<Record<string, string>> = {}) {
  const [reading] = anthropicLimits(
    {
      'anthropic-ratelimit-input-tokens-limit': '400000',
      'anthropic-ratelimit-input-tokens-remaining': '0',
      'anthropic-ratelimit-input-tokens-reset': reset,
      ...more,
    },
    WALL_MS,
  );
  return reading?.resetInMs;
}

describe('rate limits in the headers of OpenAI', () => {
  it('are read for requests and tokens, each with its own reset', () => {
    const headers = {
      'x-ratelimit-limit-requests': '500',
      'x-ratelimit-limit-tokens': '200000',
      'x-ratelimit-remaining-requests': '499',
      'x-ratelimit-remaining-tokens': '199225',
      'x-ratelimit-reset-requests': '120ms',
      'x-ratelimit-reset-tokens': '6m0s',
    };
    expect(openAiLimits(headers)).toEqual([
      { dimension: 'requests', limit: 500, remaining: 499, resetInMs: 120 },
      { dimension: 'tokens', limit: 200_000, remaining: 199_225, resetInMs: 360_000 },
    ]);
  });

  it.each([
    ['12ms', 12],
    ['1s', 1_000],
    ['1h2m3.5s', 3_723_500],
    ['0s', 0],
    ['10', 10_000],
    ['0', 0],
  ])('have resets such as %s', (reset, ms) => {
    expect(openAi('50', '0', reset)).toEqual([{ dimension: 'requests', limit: 50, remaining: 0, resetInMs: ms }]);
  });

  it.each([
    ["Azure's unknown, -1", '-1', '-1', '0'],
    ['a limit of zero', '0', '0', '60'],
    ['a negative rest', '50', '-3', '60'],
    ['a negative reset', '50', '0', '-60'],
    ['a reset that is no duration', '50', '0', 'soon'],
    ['a limit that is no number', 'many', '0', '60'],
    ['a limit out of all proportion', '9'.repeat(30), '0', '60'],
  ])('say nothing with %s', (_what, limit, remaining, reset) => {
    expect(openAi(limit, remaining, reset)).toEqual([]);
  });

  it('say nothing where one of the three is missing', () => {
    expect(openAiLimits({ 'x-ratelimit-limit-requests': '100', 'x-ratelimit-remaining-requests': '77' })).toEqual([]);
    expect(openAiLimits({})).toEqual([]);
  });
});

describe('rate limits in the headers of Anthropic', () => {
  it('are read in four dimensions', () => {
    const of = (dimension: string, limit: string, remaining: string) => ({
      [`anthropic-ratelimit-${dimension}-limit`]: limit,
      [`anthropic-ratelimit-${dimension}-remaining`]: remaining,
      [`anthropic-ratelimit-${dimension}-reset`]: '2026-11-22T12:00:30Z',
    });
    const headers = {
      ...of('requests', '4000', '3999'),
      ...of('tokens', '480000', '100'),
      ...of('input-tokens', '400000', '50'),
      ...of('output-tokens', '80000', '50'),
    };
    expect(anthropicLimits(headers, WALL_MS)).toEqual([
      { dimension: 'requests', limit: 4_000, remaining: 3_999, resetInMs: 30_000 },
      { dimension: 'tokens', limit: 480_000, remaining: 100, resetInMs: 30_000 },
      { dimension: 'input-tokens', limit: 400_000, remaining: 50, resetInMs: 30_000 },
      { dimension: 'output-tokens', limit: 80_000, remaining: 50, resetInMs: 30_000 },
    ]);
  });

  it('name an instant of their own clock, which the date of the answer tells', () => {
    expect(anthropic('2026-11-22T12:00:30Z')).toBe(30_000);
    expect(anthropic('2026-11-22T14:00:30+02:00')).toBe(30_000);
    expect(anthropic('2026-11-22T13:00:30Z', { date: 'Sun, 22 Nov 2026 13:00:10 GMT' })).toBe(20_000);
  });

  it('are reset now where the instant is past, as it is in the answers of some models', () => {
    expect(anthropic('1970-01-01T00:00:00Z')).toBe(0);
    expect(anthropic('never')).toBeUndefined();
  });
});

it('the adapters read the headers of their own providers', () => {
  const headers = {
    'x-ratelimit-limit-requests': '5',
    'x-ratelimit-remaining-requests': '4',
    'x-ratelimit-reset-requests': '1s',
    'anthropic-ratelimit-requests-limit': '7',
    'anthropic-ratelimit-requests-remaining': '6',
    'anthropic-ratelimit-requests-reset': '2026-11-22T12:00:30Z',
  };
  const limitOf = (provider: Parameters<typeof adapterFor>[0], api: Parameters<typeof adapterFor>[1]) =>
    adapterFor(provider, api).limits?.(headers, WALL_MS)[0]?.limit;
  expect(limitOf('openai', 'responses')).toBe(5);
  expect(limitOf('openai', 'chat_completions')).toBe(5);
  expect(limitOf('azure-openai', 'responses')).toBe(5);
  expect(limitOf('anthropic', 'chat_completions')).toBe(7);
  expect(limitOf('ollama', 'chat_completions')).toBeUndefined();
});
