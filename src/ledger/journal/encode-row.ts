import type { UsageRecord } from '../port/usage-record.ts';

/** What JSON has of text that PostgreSQL refuses: the character 0, and halves of surrogates. */
const REFUSED = /\\u(?:0000|d[89a-f])/;

/** Writes a record as a row: a JSON array in the order of `USAGE_COLUMNS`. */
export function encodeRow(record: UsageRecord): string {
  const row = rowOf(record);
  const text = JSON.stringify(row);
  return REFUSED.test(text) ? JSON.stringify(row.map(storable)) : text;
}

function rowOf(record: UsageRecord): readonly unknown[] {
  return [
    Math.round(record.startedAtMs),
    record.id.slice(0, record.id.lastIndexOf('.')),
    record.number,
    record.durationMs,
    record.firstOutputMs,
    record.requestId,
    record.method,
    record.caller,
    record.group,
    record.labels,
    record.kind,
    record.provider,
    record.target,
    record.model,
    record.reportedModel,
    record.outcome,
    record.httpStatus,
    record.providerRequestId,
    record.isServing,
    record.inputTokens,
    record.cachedInputTokens,
    record.cacheWriteTokens,
    record.outputTokens,
    record.reasoningTokens,
    record.isEstimated,
    record.serviceTier,
    exactly(record.costNanoUsd),
    record.costSource,
    exactly(record.listNanoUsd),
    record.priceTableVersion,
  ];
}

/** JSON has a number of what is exact as one; both stores read the text of a larger one as the same integer. */
function exactly(nanoUsd: bigint | undefined): number | string | undefined {
  if (nanoUsd === undefined) return undefined;
  const number = Number(nanoUsd);
  return Number.isSafeInteger(number) ? number : nanoUsd.toString();
}

function storable(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed().replaceAll('\0', '\uFFFD');
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [storable(key), storable(entry)]));
}
