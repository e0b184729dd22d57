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
  const uncached = countOf(usage.input_tokens);
  const read = countOf(usage.cache_read_input_tokens);
  const written = countOf(usage.cache_creation_input_tokens);
  return {
    inputTokens: uncached === undefined ? undefined : uncached + (read ?? 0) + (written ?? 0),
    cachedInputTokens: read,
    cacheWriteTokens: written,
    cacheWriteLongTokens: countOf(asRecord(usage.cache_creation)?.ephemeral_1h_input_tokens),
    outputTokens: countOf(usage.output_tokens),
    reasoningTokens: countOf(asRecord(usage.output_tokens_details)?.thinking_tokens),
    serviceTier: tierOf(usage),
  };
}

/** Without a surcharge; older models say that they do not tell where they run. */
const EVERYWHERE: ReadonlySet<unknown> = new Set([undefined, null, '', 'global', 'not_available']);

/** What the provider bills by besides tokens. A region has a surcharge that no price table knows: its name is an unknown tier. */
function tierOf(usage: JsonRecord): string | undefined {
  if (!EVERYWHERE.has(usage.inference_geo)) return `region-${wordOf(usage.inference_geo) ?? 'unknown'}`;
  return usage.speed === 'fast' ? 'fast' : wordOf(usage.service_tier);
}
