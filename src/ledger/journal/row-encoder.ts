import type { UsageRecord } from '../port/usage-record.ts';

/** What JSON has of text that PostgreSQL refuses: the character 0, and halves of surrogates. */
const REFUSED = /\\u(?:0000|d[89a-f])/;

/** Stands between the two parts of a row; JSON has none. */
const BETWEEN = '\t';

/** What attempts of a kind have in common is written once; beyond so many kinds it is forgotten. */
const MOST_KINDS = 100;

/** Writes records as rows: two JSON arrays with a tab between them, in the order of `SHARED_COLUMNS` and of `OWN_COLUMNS`. */
export class RowEncoder {
  /** By target: what its last record had, and the text of that. */
  readonly #shared = new Map<string, { readonly values: readonly unknown[]; readonly text: string }>();

  encode(record: UsageRecord): string {
    return `${this.#sharedText(record)}${BETWEEN}${textOf(ownValues(record))}`;
  }

  #sharedText(record: UsageRecord): string {
    const values = sharedValues(record);
    const last = this.#shared.get(record.target);
    if (last?.values.every((value, at) => value === values[at]) === true) return last.text;
    if (this.#shared.size >= MOST_KINDS) this.#shared.clear();
    const text = textOf(values);
    this.#shared.set(record.target, { values, text });
    return text;
  }
}

/** Returns the parts of a row as they are written: what it shares with others, and its own. */
export function partsOfRow(row: string): { readonly shared: string; readonly own: string } {
  const at = row.indexOf(BETWEEN);
  return { shared: row.slice(0, at), own: row.slice(at + BETWEEN.length) };
}

/** Whether text is a row, and none of an early version. */
export function isRow(text: string): boolean {
  return text.includes(BETWEEN);
}

function sharedValues(record: UsageRecord): readonly unknown[] {
  return [
    record.method,
    record.caller,
    record.group,
    record.kind,
    record.provider,
    record.target,
    record.model,
    record.reportedModel,
    record.outcome,
    record.httpStatus,
    Number(record.isServing),
    Number(record.isEstimated),
    record.serviceTier,
    record.costSource,
    record.priceTableVersion,
  ];
}

function ownValues(record: UsageRecord): readonly unknown[] {
  return [
    Math.round(record.startedAtMs),
    record.id.slice(0, record.id.lastIndexOf('.')),
    record.number,
    record.durationMs,
    record.firstOutputMs,
    record.requestId,
    labelsText(record.labels),
    record.providerRequestId,
    record.inputTokens,
    record.cachedInputTokens,
    record.cacheWriteTokens,
    record.outputTokens,
    record.reasoningTokens,
    exactly(record.costNanoUsd),
    exactly(record.listNanoUsd),
  ];
}

/** Most calls have none. */
function labelsText(labels: UsageRecord['labels']): string {
  for (const _name in labels) return textOf(labels);
  return '{}';
}

function textOf(value: object): string {
  const text = JSON.stringify(value);
  return REFUSED.test(text) ? JSON.stringify(storable(value)) : text;
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
  if (Array.isArray(value)) return value.map(storable);
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [storable(key), storable(entry)]));
}
