import type { TokenUsage } from '../core/ports.ts';

/** Tokens as the gateway guesses them, where the provider does not say. */
export interface LikelyTokens {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** Tokens by what they are charged as: whole numbers from 0 to 2,147,483,647. */
export interface TokenCounts {
  /** All input: decides the tier. */
  readonly input: number;
  /** Input that is neither read from nor written to the cache. */
  readonly fresh: number;
  readonly cached: number;
  /** Written to the cache for the usual time. */
  readonly written: number;
  /** Written to the cache for the long time. */
  readonly writtenLong: number;
  /** Reasoning included. */
  readonly output: number;
  /** Whether the provider counted everything, and its counts agree with each other. */
  readonly areReported: boolean;
}

const MOST_TOKENS = 2_147_483_647;

/**
 * Splits the tokens of a call. Returns undefined where input or output is neither reported nor estimated. Counts that
 * contradict each other are kept as far as they can be: parts larger than the input leave no fresh input, and make the input
 * as large as they are.
 */
export function tokensOf(usage: TokenUsage = {}, estimate?: LikelyTokens): TokenCounts | undefined {
  const reportedInput = usage.inputTokens ?? estimate?.inputTokens;
  const reportedOutput = usage.outputTokens ?? estimate?.outputTokens;
  if (reportedInput === undefined || reportedOutput === undefined) {
    return undefined;
  }
  const reportedLong = usage.cacheWriteLongTokens ?? 0;
  const reportedWrites = usage.cacheWriteTokens ?? reportedLong;
  const reportedCached = usage.cachedInputTokens ?? 0;

  const cached = countOf(reportedCached);
  const writes = countOf(reportedWrites);
  const writtenLong = Math.min(countOf(reportedLong), writes);
  const input = Math.max(countOf(reportedInput), cached + writes);
  const output = countOf(reportedOutput);
  const isAsReported =
    input === reportedInput &&
    output === reportedOutput &&
    cached === reportedCached &&
    writes === reportedWrites &&
    writtenLong === reportedLong;
  return {
    input,
    fresh: input - cached - writes,
    cached,
    written: writes - writtenLong,
    writtenLong,
    output,
    areReported:
      isAsReported && usage.isDoubtful !== true && usage.inputTokens !== undefined && usage.outputTokens !== undefined,
  };
}

function countOf(tokens: number): number {
  return tokens > 0 ? Math.min(Math.round(tokens), MOST_TOKENS) : 0;
}
