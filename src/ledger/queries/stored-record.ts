import { type FailureReason, REASON_STATUS } from '../../core/failure.ts';
import type { UsageRecord } from '../port/usage-record.ts';
import type { StoredRow, StoredValue } from '../store/usage-store.ts';

const METHODS = ['Generate', 'Chat', 'StreamChat'] as const;
const SOURCES = ['EXACT', 'ESTIMATED', 'UNKNOWN'] as const;

/** Makes a record of a row. Words that this version does not know, of a newer one, become the nearest that it does. */
export function storedRecord(row: StoredRow): UsageRecord {
  return {
    callId: storedText(row['call_id']),
    startedAtMs: Number(row['started_at_ms']),
    durationMs: Number(row['duration_ms']),
    firstOutputMs: numberOf(row['first_output_ms']),
    requestId: storedText(row['request_id']),
    method: METHODS.find((method) => method === row['method']) ?? 'Chat',
    caller: storedText(row['caller']),
    group: storedText(row['caller_group']),
    labels: labelsOf(row['labels']),
    number: Number(row['number']),
    kind: storedText(row['kind']),
    provider: storedText(row['provider']),
    target: storedText(row['target']),
    model: storedText(row['model']),
    reportedModel: storedText(row['reported_model']),
    outcome: outcomeOf(storedText(row['outcome'])),
    httpStatus: numberOf(row['http_status']),
    providerRequestId: storedText(row['provider_request_id']),
    isServing: Boolean(row['is_serving']),
    inputTokens: numberOf(row['input_tokens']),
    cachedInputTokens: numberOf(row['cached_input_tokens']),
    cacheWriteTokens: numberOf(row['cache_write_tokens']),
    outputTokens: numberOf(row['output_tokens']),
    reasoningTokens: numberOf(row['reasoning_tokens']),
    isEstimated: Boolean(row['is_estimated']),
    serviceTier: storedText(row['service_tier']),
    costNanoUsd: moneyOf(row['cost_nano_usd']),
    costSource: SOURCES.find((source) => source === row['cost_source']) ?? 'UNKNOWN',
    listNanoUsd: moneyOf(row['list_nano_usd']),
    priceTableVersion: storedText(row['price_table_version']),
  };
}

/** Reads text; empty for what is none. */
export function storedText(value: StoredValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** Reads a whole number of any size; 0 for what is none. */
export function storedWhole(value: StoredValue | undefined): bigint {
  return moneyOf(value) ?? 0n;
}

function moneyOf(value: StoredValue | undefined): bigint | undefined {
  if (typeof value === 'bigint') return value;
  return typeof value === 'number' || typeof value === 'string' ? BigInt(value) : undefined;
}

function numberOf(value: StoredValue | undefined): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}

function outcomeOf(outcome: string): UsageRecord['outcome'] {
  if (outcome === 'OK') return outcome;
  return isReason(outcome) ? outcome : 'INTERNAL';
}

function isReason(outcome: string): outcome is FailureReason {
  return Object.hasOwn(REASON_STATUS, outcome);
}

/** SQLite has them as text, PostgreSQL as an object. */
function labelsOf(value: StoredValue | undefined): Readonly<Record<string, string>> {
  const read: unknown = typeof value === 'string' ? JSON.parse(value) : value;
  if (typeof read !== 'object' || read === null) return {};
  return Object.fromEntries(Object.entries(read).map(([name, label]) => [name, String(label)]));
}
