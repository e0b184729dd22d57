import type { TokenUsage } from '../../../core/ports.ts';
import type { AdapterEvent } from '../../port/adapter.ts';
import type { JsonRecord } from '../../shared/json/value.ts';
import { asRecord, countOf, wordOf } from '../../shared/json/value.ts';

/**
 * Reads the usage of Chat Completions: input includes cached tokens, output includes reasoning. None: no event. `tier` is the
 * service tier that the provider says it served, by which it bills.
 */
export function chatUsage(value: unknown, tier: unknown): readonly AdapterEvent[] {
  const usage = asRecord(value);
  if (usage === undefined) return [];
  const input = asRecord(usage.prompt_tokens_details);
  return usageEvent(
    {
      // Some servers write the names of the Responses API.
      inputTokens: usage.prompt_tokens ?? usage.input_tokens,
      // DeepSeek's older form and Moonshot's have the cached tokens beside the input.
      cachedInputTokens: input?.cached_tokens ?? usage.prompt_cache_hit_tokens ?? usage.cached_tokens,
      cacheWriteTokens: input?.cache_write_tokens,
      outputTokens: usage.completion_tokens ?? usage.output_tokens,
      // Models of other makers on Azure have them beside the output.
      reasoningTokens: asRecord(usage.completion_tokens_details)?.reasoning_tokens ?? usage.reasoning_tokens,
      totalTokens: usage.total_tokens,
    },
    tier,
  );
}

/** Reads the usage of the Responses API, which counts alike under other names. None: no event. */
export function responsesUsage(value: unknown, tier: unknown): readonly AdapterEvent[] {
  const usage = asRecord(value);
  if (usage === undefined) return [];
  const input = asRecord(usage.input_tokens_details);
  return usageEvent(
    {
      inputTokens: usage.input_tokens ?? usage.prompt_tokens,
      cachedInputTokens: input?.cached_tokens,
      cacheWriteTokens: input?.cache_write_tokens,
      cacheWriteLongTokens: asRecord(input?.cache_write_tokens_details)?.ttl_12h_tokens,
      outputTokens: usage.output_tokens ?? usage.completion_tokens,
      reasoningTokens: asRecord(usage.output_tokens_details)?.reasoning_tokens,
      totalTokens: usage.total_tokens,
    },
    tier,
  );
}

type CountName = Exclude<keyof TokenUsage, 'serviceTier' | 'region' | 'isDoubtful'>;
type Counts = { -readonly [Name in CountName]?: number };

/** Makes the event of what stands in the fields; what is no count is left out, and makes the others doubtful. */
function usageEvent(fields: Readonly<Partial<Record<CountName, unknown>>>, tier: unknown): readonly AdapterEvent[] {
  const counts = countsOf(fields);
  if (counts === undefined) return [];
  const serviceTier = wordOf(tier);
  const usage = { ...counts.known, ...(serviceTier === undefined ? {} : { serviceTier }) };
  const isDoubtful = withReasoning(counts.known, usage) || counts.hasOther;
  return [{ type: 'usage', usage: isDoubtful ? { ...usage, isDoubtful } : usage }];
}

function countsOf(fields: JsonRecord): { readonly known: Counts; readonly hasOther: boolean } | undefined {
  const known: Record<string, number> = {};
  let isKnown = false;
  let hasOther = false;
  for (const name in fields) {
    const value = fields[name];
    if (value === undefined || value === null) continue;
    const count = countOf(value);
    if (count === undefined) {
      hasOther = true;
    } else {
      known[name] = count;
      isKnown = true;
    }
  }
  return isKnown ? { known, hasOther } : undefined;
}

/**
 * Adds reasoning to the output where the total proves that it stands beside it, as at xAI. Returns whether the counts contradict
 * each other; a total of 0 beside others says nothing.
 */
function withReasoning(counts: Counts, usage: Counts): boolean {
  const { inputTokens, outputTokens, reasoningTokens = 0, totalTokens = 0 } = counts;
  if (inputTokens === undefined || outputTokens === undefined) return false;
  if (totalTokens === 0 && inputTokens + outputTokens > 0) delete usage.totalTokens;
  const isTotal = totalTokens === 0 || totalTokens === inputTokens + outputTokens;
  if (isTotal) return reasoningTokens > outputTokens;
  if (totalTokens !== inputTokens + outputTokens + reasoningTokens) return true;
  usage.outputTokens = outputTokens + reasoningTokens;
  return false;
}
