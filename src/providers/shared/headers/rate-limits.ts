import type { LimitDimension, LimitReading } from '../../../core/ports.ts';
import type { ErrorResponse } from '../../port/adapter.ts';
import { parseReset } from './durations.ts';
import { parseHttpDate, parseRfc3339 } from './instants.ts';

type Headers = ErrorResponse['headers'];

const OPENAI_DIMENSIONS: readonly LimitDimension[] = ['requests', 'tokens'];
const ANTHROPIC_DIMENSIONS: readonly LimitDimension[] = ['requests', 'tokens', 'input-tokens', 'output-tokens'];

/**
 * Reads what OpenAI, Azure OpenAI and those who answer like them say of their rate limits. What lacks its limit, its rest or
 * its reset, is negative (Azure's `-1` for unknown), or has a limit of zero is left out (engine rule L2).
 */
export function openAiLimits(headers: Headers): readonly LimitReading[] {
  return readings(OPENAI_DIMENSIONS, (dimension) => ({
    limit: headers[`x-ratelimit-limit-${dimension}`],
    remaining: headers[`x-ratelimit-remaining-${dimension}`],
    resetInMs: parseReset(headers[`x-ratelimit-reset-${dimension}`]),
  }));
}

/**
 * Reads what Anthropic says of its rate limits. It names the instants of its own clock, so they are reckoned from the `date` of
 * the answer where there is one, otherwise from `wallMs`, our own.
 */
export function anthropicLimits(headers: Headers, wallMs: number): readonly LimitReading[] {
  const nowMs = parseHttpDate(headers['date']) ?? wallMs;
  return readings(ANTHROPIC_DIMENSIONS, (dimension) => {
    const resetAtMs = parseRfc3339(headers[`anthropic-ratelimit-${dimension}-reset`]);
    return {
      limit: headers[`anthropic-ratelimit-${dimension}-limit`],
      remaining: headers[`anthropic-ratelimit-${dimension}-remaining`],
      resetInMs: resetAtMs === undefined ? undefined : resetAtMs - nowMs,
    };
  });
}

/** The words of one dimension; a reset that is past is negative. */
interface Words {
  readonly limit: string | undefined;
  readonly remaining: string | undefined;
  readonly resetInMs: number | undefined;
}

function readings(
  dimensions: readonly LimitDimension[],
  wordsOf: (dimension: LimitDimension) => Words,
): LimitReading[] {
  const found: LimitReading[] = [];
  for (const dimension of dimensions) {
    const words = wordsOf(dimension);
    const limit = parseCount(words.limit);
    const remaining = parseCount(words.remaining);
    const { resetInMs } = words;
    if (limit === undefined || remaining === undefined || resetInMs === undefined || limit === 0) continue;
    found.push({ dimension, limit, remaining, resetInMs: Math.max(0, resetInMs) });
  }
  return found;
}

function parseCount(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text.trim()) ? Number(text) : undefined;
}
