import type { TokenUsage } from '../../../core/ports.ts';
import type { AdapterEvent } from '../../port/adapter.ts';
import { servedWord } from '../../shared/served-word.ts';
import type { JsonRecord } from '../../shared/json/value.ts';
import { asRecord, countOf } from '../../shared/json/value.ts';

/**
 * Reads the usage of Chat Completions: input includes cached tokens, output includes reasoning. None: no event. `tier` is the
 * service tier that the provider says it served, by which it bills.
 */
export function chatUsage(value: unknown, tier: unknown): readonly AdapterEvent[] {
  const usage = asRecord(value);
  if (usage === undefined) return [];
  // Some servers write it so, or as the Responses API does.
  const input =
    asRecord(usage.prompt_tokens_details) ??
    asRecord(usage.prompt_token_details) ??
    asRecord(usage.input_tokens_details);
  const output = asRecord(usage.completion_tokens_details) ?? asRecord(usage.output_tokens_details);
  const doubt = { isDoubtful: false };
  const writes = writesByLifetime(doubt, input);
  return usageEvent(
    {
      // Some servers write the names of the Responses API.
      inputTokens: countIn(doubt, usage.prompt_tokens, usage.input_tokens),
      // DeepSeek's older form, Moonshot's, and those of others and of routers to Claude have the cached tokens beside the input.
      cachedInputTokens: countIn(
        doubt,
        input?.cached_tokens,
        usage.prompt_cache_hit_tokens,
        usage.cached_tokens,
        usage.num_cached_tokens,
        usage.cache_read_input_tokens,
      ),
      uncachedTokens: countIn(doubt, usage.prompt_cache_miss_tokens),
      // OpenAI, OpenRouter; LiteLLM; Alibaba; routers to Claude.
      cacheWriteTokens: countIn(
        doubt,
        input?.cache_write_tokens,
        input?.cache_creation_tokens,
        input?.cache_creation_input_tokens,
        usage.cache_creation_input_tokens,
      ),
      cacheWriteShortTokens: writes.short,
      cacheWriteLongTokens: writes.long,
      outputTokens: countIn(doubt, usage.completion_tokens, usage.output_tokens),
      // Models of other makers on Azure have them beside the output.
      reasoningTokens: countIn(doubt, output?.reasoning_tokens, usage.reasoning_tokens),
      totalTokens: countIn(doubt, usage.total_tokens),
    },
    doubt,
    tier,
  );
}

/** Reads the usage of the Responses API, which counts alike under other names. None: no event. */
export function responsesUsage(value: unknown, tier: unknown): readonly AdapterEvent[] {
  const usage = asRecord(value);
  if (usage === undefined) return [];
  const input = asRecord(usage.input_tokens_details);
  const doubt = { isDoubtful: false };
  const writes = writesByLifetime(doubt, input);
  return usageEvent(
    {
      inputTokens: countIn(doubt, usage.input_tokens, usage.prompt_tokens),
      cachedInputTokens: countIn(doubt, input?.cached_tokens),
      uncachedTokens: undefined,
      cacheWriteTokens: countIn(doubt, input?.cache_write_tokens),
      cacheWriteShortTokens: writes.short,
      cacheWriteLongTokens: writes.long,
      outputTokens: countIn(doubt, usage.output_tokens, usage.completion_tokens),
      reasoningTokens: countIn(doubt, asRecord(usage.output_tokens_details)?.reasoning_tokens),
      totalTokens: countIn(doubt, usage.total_tokens),
    },
    doubt,
    tier,
  );
}

/**
 * Lays a later usage of one answer over an earlier one: counts are cumulative, so that what the later one leaves out, or has as 0,
 * stays as it was. Counts that become smaller contradict each other.
 */
export function laterUsage(earlier: TokenUsage | undefined, later: TokenUsage): TokenUsage {
  if (earlier === undefined) return later;
  const usage: { -readonly [Name in keyof TokenUsage]: TokenUsage[Name] } = { ...later };
  let isDoubtful = later.isDoubtful === true;
  for (const name of CUMULATIVE) {
    const [before, now] = [earlier[name], later[name]];
    if (before === undefined || (now !== undefined && now >= before)) continue;
    if (now === undefined || now === 0) usage[name] = before;
    isDoubtful ||= now !== undefined || earlier.isDoubtful === true;
  }
  if (usage.totalTokens === undefined && usage.inputTokens === earlier.inputTokens) {
    if (usage.outputTokens === earlier.outputTokens && earlier.totalTokens !== undefined)
      usage.totalTokens = earlier.totalTokens;
  }
  if (isDoubtful) usage.isDoubtful = true;
  return usage;
}

const CUMULATIVE = [
  'inputTokens',
  'cachedInputTokens',
  'cacheWriteTokens',
  'cacheWriteLongTokens',
  'outputTokens',
  'reasoningTokens',
] as const;

type CountName = Exclude<keyof TokenUsage, 'serviceTier' | 'region' | 'isDoubtful'>;
/** What helps to reckon the others. */
type HelpName = 'uncachedTokens' | 'cacheWriteShortTokens';
type Counts = { [Name in CountName]: number | undefined };

/** Whether what stands in a usage is no count, or contradicts itself: then nothing of it is exact. */
interface Doubt {
  isDoubtful: boolean;
}

/** OpenAI has 30 minutes and 12 hours; Alibaba and LiteLLM, which have Claude's words, 5 minutes and one hour. */
function writesByLifetime(doubt: Doubt, input: JsonRecord | undefined) {
  const own = asRecord(input?.cache_write_tokens_details);
  const claude = asRecord(input?.cache_creation) ?? asRecord(input?.cache_creation_token_details);
  return {
    short: countIn(doubt, own?.ttl_30m_tokens, claude?.ephemeral_5m_input_tokens),
    long: countIn(doubt, own?.ttl_12h_tokens, claude?.ephemeral_1h_input_tokens),
  };
}

/** Makes the event of the counts that were found; none where there are none. */
function usageEvent(
  found: Counts & { readonly [Name in HelpName]: number | undefined },
  doubt: Doubt,
  tier: unknown,
): readonly AdapterEvent[] {
  if (Object.values(found).every((count) => count === undefined)) return [];
  const isOdd = withParts(found, found.uncachedTokens, found.cacheWriteShortTokens);
  const usage = {
    inputTokens: found.inputTokens,
    cachedInputTokens: found.cachedInputTokens,
    cacheWriteTokens: found.cacheWriteTokens,
    cacheWriteLongTokens: found.cacheWriteLongTokens,
    outputTokens: found.outputTokens,
    reasoningTokens: found.reasoningTokens,
    totalTokens: found.totalTokens,
    serviceTier: servedWord(tier),
  };
  const isDoubtful = withReasoning(found, usage) || isOdd || doubt.isDoubtful;
  return [{ type: 'usage', usage: isDoubtful ? { ...usage, isDoubtful } : usage }];
}

/** Returns the count that stands in one of several places, of which the first counts most; undefined where none has one. */
function countIn(doubt: Doubt, ...places: readonly unknown[]): number | undefined {
  let found: number | undefined;
  for (const value of places) {
    if (value === undefined || value === null) continue;
    const count = countOf(value);
    // A 0 behind a count says nothing: some servers fill the names that they do not use with it.
    if (count === undefined || (found !== undefined && count !== 0 && count !== found)) doubt.isDoubtful = true;
    if (count !== undefined && (found === undefined || found === 0)) found = count;
  }
  return found;
}

/** Adds up wholes of which only the parts are told. Returns whether parts and wholes contradict each other. */
function withParts(counts: Counts, uncached: number | undefined, short: number | undefined): boolean {
  const { cachedInputTokens: cached, cacheWriteLongTokens: long = 0 } = counts;
  let isOdd = false;
  if (cached !== undefined && uncached !== undefined && cached + uncached > 0) {
    isOdd = (counts.inputTokens ??= cached + uncached) !== cached + uncached;
  }
  const written = (short ?? 0) + long;
  if (written === 0) return isOdd;
  const told = (counts.cacheWriteTokens ??= written);
  return isOdd || (short === undefined ? told < written : told !== written);
}

/**
 * Adds reasoning to the output where the total proves that it stands beside it, as at xAI. Returns whether the counts contradict
 * each other; a total of 0 beside others says nothing.
 */
function withReasoning(counts: Counts, usage: Counts): boolean {
  const { inputTokens, outputTokens, reasoningTokens = 0, totalTokens = 0 } = counts;
  if (inputTokens === undefined || outputTokens === undefined) return false;
  const sum = inputTokens + outputTokens;
  if (totalTokens === 0) {
    if (sum > 0) usage.totalTokens = undefined;
    if (reasoningTokens <= outputTokens) return false;
    usage.outputTokens = outputTokens + reasoningTokens;
    return true;
  }
  if (totalTokens === sum) return reasoningTokens > outputTokens;
  if (totalTokens === sum + reasoningTokens) {
    usage.outputTokens = outputTokens + reasoningTokens;
    return false;
  }
  const cache = (counts.cachedInputTokens ?? 0) + (counts.cacheWriteTokens ?? 0);
  // Gemini counts its thoughts in the total alone.
  if (reasoningTokens === 0 && totalTokens > sum && totalTokens !== sum + cache)
    usage.outputTokens = totalTokens - inputTokens;
  return true;
}
