import type { TokenUsage } from '../core/ports.ts';
import type { LikelyTokens } from './token-counts.ts';

/**
 * Leaves out counts that cannot be true: no prompt has 0 tokens, and no answer with something in it. Some servers report zeros for
 * what they have not counted. Returns the same usage where nothing is odd.
 *
 * @param outputBytes how much of an answer there was
 */
export function believableUsage(usage: TokenUsage | undefined, outputBytes: number): TokenUsage | undefined {
  if (usage === undefined) return undefined;
  const hasNoInput = usage.inputTokens === 0;
  const hasNoOutput = usage.outputTokens === 0 && outputBytes > 0;
  if (!hasNoInput && !hasNoOutput) return usage;
  return {
    ...usage,
    inputTokens: hasNoInput ? undefined : usage.inputTokens,
    outputTokens: hasNoOutput ? undefined : usage.outputTokens,
    totalTokens: undefined,
  };
}

/** Puts estimates in the place of missing counts of input and output; undefined where none is missing. */
export function withEstimates(usage: TokenUsage, estimate: LikelyTokens): TokenUsage | undefined {
  const { inputTokens, outputTokens } = usage;
  if (inputTokens !== undefined && outputTokens !== undefined) return undefined;
  return {
    ...usage,
    inputTokens: inputTokens ?? estimate.inputTokens,
    outputTokens: outputTokens ?? estimate.outputTokens,
    totalTokens: undefined,
  };
}
