import type { TokenUsage } from '../../core/ports.ts';
import type { JsonRecord } from '../shared/json/value.ts';
import { asRecord, countOf, wordOf } from '../shared/json/value.ts';

/** Lays a later `usage` over an earlier one: counts are cumulative, and null says nothing. */
export function mergeUsage(earlier: JsonRecord, later: unknown): JsonRecord {
  const said = Object.entries(asRecord(later) ?? {}).filter(([, value]) => value !== null);
  return { ...earlier, ...Object.fromEntries(said) };
}

/** Translates Anthropic's `usage`, whose `input_tokens` leaves out what was read from the cache or written to it. */
export function anthropicUsage(usage: JsonRecord): TokenUsage {
  const writes = asRecord(usage.cache_creation);
  const written = usage.cache_creation_input_tokens ?? sumOf(writes);
  const reasoning = asRecord(usage.output_tokens_details)?.thinking_tokens;
  const fields = [usage.input_tokens, usage.cache_read_input_tokens, written, usage.output_tokens, reasoning];
  const uncached = countOf(usage.input_tokens);
  const read = countOf(usage.cache_read_input_tokens);
  const isDoubtful = fields.some(isNoCount) || isNoCount(writes?.ephemeral_1h_input_tokens);
  return {
    inputTokens: uncached === undefined ? undefined : uncached + (read ?? 0) + (countOf(written) ?? 0),
    cachedInputTokens: read,
    cacheWriteTokens: countOf(written),
    cacheWriteLongTokens: countOf(writes?.ephemeral_1h_input_tokens),
    outputTokens: countOf(usage.output_tokens),
    reasoningTokens: countOf(reasoning),
    serviceTier: usage.speed === 'fast' ? 'fast' : wordOf(usage.service_tier),
    region: EVERYWHERE.has(usage.inference_geo) ? undefined : (wordOf(usage.inference_geo) ?? 'unknown'),
    ...(isDoubtful ? { isDoubtful } : {}),
  };
}

/** Without a surcharge; older models say that they do not tell where they run. */
const EVERYWHERE: ReadonlySet<unknown> = new Set([undefined, null, '', 'global', 'not_available']);

/** Some servers tell the two kinds of writes and leave out their sum. */
function sumOf(writes: JsonRecord | undefined): number | undefined {
  const [short, long] = [countOf(writes?.ephemeral_5m_input_tokens), countOf(writes?.ephemeral_1h_input_tokens)];
  return short === undefined && long === undefined ? undefined : (short ?? 0) + (long ?? 0);
}

/** Whether something stands where a count belongs, and is none. */
function isNoCount(value: unknown): boolean {
  return value !== undefined && value !== null && countOf(value) === undefined;
}
