import type { TokenUsage } from '../../core/ports.ts';
import type { JsonRecord } from '../shared/json/value.ts';
import { asRecord, countOf } from '../shared/json/value.ts';
import { servedWord } from '../shared/served-word.ts';

/**
 * Lays a later `usage` over an earlier one: counts are cumulative, and null says nothing. Nor does a 0 of input that was counted
 * before; it contradicts that count.
 */
export function mergeUsage(earlier: JsonRecord, later: unknown): JsonRecord {
  const merged: Record<string, unknown> = { ...earlier };
  for (const [name, value] of Object.entries(asRecord(later) ?? {})) {
    const isLost = value === 0 && INPUT_COUNTS.has(name) && (countOf(earlier[name]) ?? 0) > 0;
    if (isLost) merged[CONTRADICTED] = true;
    else if (value !== null) merged[name] = value;
  }
  return merged;
}

const INPUT_COUNTS: ReadonlySet<string> = new Set([
  'input_tokens',
  'cache_read_input_tokens',
  'cache_creation_input_tokens',
]);

/** Where merged usage keeps that its counts contradict each other; no provider's name. */
const CONTRADICTED = '$contradicted';

/** Translates Anthropic's `usage`, whose `input_tokens` leaves out what was read from the cache or written to it. */
export function anthropicUsage(usage: JsonRecord): TokenUsage {
  const writes = asRecord(usage.cache_creation);
  const sum = sumOf(writes);
  const written = usage.cache_creation_input_tokens ?? sum;
  const reasoning = asRecord(usage.output_tokens_details)?.thinking_tokens;
  const fields = [usage.input_tokens, usage.cache_read_input_tokens, written, usage.output_tokens, reasoning];
  const uncached = countOf(usage.input_tokens);
  const read = countOf(usage.cache_read_input_tokens);
  const [speed, tier] = [servedWord(usage.speed), servedWord(usage.service_tier)];
  const isDoubtful =
    fields.some(isNoCount) ||
    isNoCount(writes?.ephemeral_5m_input_tokens) ||
    isNoCount(writes?.ephemeral_1h_input_tokens) ||
    (sum !== undefined && sum !== written) ||
    (countOf(reasoning) ?? 0) > (countOf(usage.output_tokens) ?? Infinity) ||
    // Each has a price of its own, both together have none.
    !(isUsual(speed) || isUsual(tier)) ||
    usage[CONTRADICTED] === true;
  return {
    inputTokens: uncached === undefined ? undefined : uncached + (read ?? 0) + (countOf(written) ?? 0),
    cachedInputTokens: read,
    cacheWriteTokens: countOf(written),
    cacheWriteLongTokens: countOf(writes?.ephemeral_1h_input_tokens),
    outputTokens: countOf(usage.output_tokens),
    reasoningTokens: countOf(reasoning),
    serviceTier: isUsual(speed) ? tier : speed,
    region: EVERYWHERE.has(usage.inference_geo) ? undefined : servedWord(usage.inference_geo),
    ...(isDoubtful ? { isDoubtful } : {}),
  };
}

function isUsual(served: string | undefined): boolean {
  return served === undefined || served === 'standard';
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
