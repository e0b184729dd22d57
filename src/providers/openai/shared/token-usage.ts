import type { TokenUsage } from '../../../core/ports.ts';
import type { AdapterEvent } from '../../port/adapter.ts';
import { asRecord, countOf, wordOf } from '../../shared/json/value.ts';

/**
 * Reads the usage of Chat Completions: input includes cached tokens, output includes reasoning. None: no event. `tier` is the
 * service tier that the provider says it served, by which it bills.
 */
export function chatUsage(value: unknown, tier: unknown): readonly AdapterEvent[] {
  const usage = asRecord(value);
  if (usage === undefined) return [];
  const input = asRecord(usage.prompt_tokens_details);
  const counts = {
    inputTokens: countOf(usage.prompt_tokens),
    // DeepSeek's older form has the cached tokens beside the input.
    cachedInputTokens: countOf(input?.cached_tokens) ?? countOf(usage.prompt_cache_hit_tokens),
    cacheWriteTokens: countOf(input?.cache_write_tokens),
    outputTokens: countOf(usage.completion_tokens),
    // Models of other makers on Azure have them beside the output.
    reasoningTokens:
      countOf(asRecord(usage.completion_tokens_details)?.reasoning_tokens) ?? countOf(usage.reasoning_tokens),
    totalTokens: countOf(usage.total_tokens),
  } satisfies TokenUsage;
  return usageEvent(counts, tier);
}

/** Reads the usage of the Responses API, which counts alike under other names. None: no event. */
export function responsesUsage(value: unknown, tier: unknown): readonly AdapterEvent[] {
  const usage = asRecord(value);
  if (usage === undefined) return [];
  const input = asRecord(usage.input_tokens_details);
  const counts = {
    inputTokens: countOf(usage.input_tokens),
    cachedInputTokens: countOf(input?.cached_tokens),
    cacheWriteTokens: countOf(input?.cache_write_tokens),
    cacheWriteLongTokens: countOf(asRecord(input?.cache_write_tokens_details)?.ttl_12h_tokens),
    outputTokens: countOf(usage.output_tokens),
    reasoningTokens: countOf(asRecord(usage.output_tokens_details)?.reasoning_tokens),
    totalTokens: countOf(usage.total_tokens),
  } satisfies TokenUsage;
  return usageEvent(counts, tier);
}

function usageEvent(counts: Readonly<Record<string, number | undefined>>, tier: unknown): readonly AdapterEvent[] {
  const usage: Record<string, number> = {};
  let isKnown = false;
  for (const name in counts) {
    const count = counts[name];
    if (count === undefined) continue;
    usage[name] = count;
    isKnown = true;
  }
  if (!isKnown) return [];
  const serviceTier = wordOf(tier);
  return [{ type: 'usage', usage: serviceTier === undefined ? usage : { ...usage, serviceTier } }];
}
