import type { UsageRecord } from '../port/usage-record.ts';

/** What JSON has of text that PostgreSQL refuses: the character 0, and halves of surrogates. */
const REFUSED = /\\u(?:0000|d[89a-f])/;

/** Stands between the two parts of a row; JSON has none. */
const BETWEEN = '\t';

/** What attempts of a kind have in common is written once; beyond so many kinds it is forgotten. */
const MOST_KINDS = 100;

/** Writes records as rows: two JSON arrays with a tab between them, in the order of `SHARED_COLUMNS` and of `OWN_COLUMNS`. */
export class RowEncoder {
  /** By target: its last record, and the text of what that has in common with others. */
  readonly #shared = new Map<string, { readonly record: UsageRecord; readonly text: string }>();

  /** The shared part of the row that was made last. */
  #before: string | undefined;

  /** @param isBehind whether the row is written behind the last one: what it shares with that is left out, until {@link wholeRows} */
  encode(record: UsageRecord, isBehind = false): string {
    const shared = this.#sharedText(record);
    const row = `${isBehind && shared === this.#before ? '' : shared}${BETWEEN}${ownText(record)}`;
    this.#before = shared;
    return row;
  }

  #sharedText(record: UsageRecord): string {
    const last = this.#shared.get(record.target);
    if (last !== undefined && isOfOneKind(last.record, record)) return last.text;
    if (this.#shared.size >= MOST_KINDS) this.#shared.clear();
    const text = textOf(sharedValues(record));
    this.#shared.set(record.target, { record, text });
    return text;
  }
}

/** Returns the parts of a row as they are written: what it shares with others, and its own. */
export function partsOfRow(row: string): { readonly shared: string; readonly own: string } {
  const at = row.indexOf(BETWEEN);
  return { shared: row.slice(0, at), own: row.slice(at + BETWEEN.length) };
}

/** Gives each row the part that it has in common with the one before it, where that is left out. */
export function wholeRows(rows: readonly string[]): string[] {
  let before = '';
  return rows.map((row) => {
    if (!isRow(row)) return row;
    const { shared, own } = partsOfRow(row);
    if (shared !== '') before = shared;
    return `${before}${BETWEEN}${own}`;
  });
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

/** Whether two records have the same {@link sharedValues}. */
function isOfOneKind(one: UsageRecord, other: UsageRecord): boolean {
  return (
    one.method === other.method &&
    one.caller === other.caller &&
    one.group === other.group &&
    one.kind === other.kind &&
    one.provider === other.provider &&
    one.target === other.target &&
    one.model === other.model &&
    one.reportedModel === other.reportedModel &&
    one.outcome === other.outcome &&
    one.httpStatus === other.httpStatus &&
    one.isServing === other.isServing &&
    one.isEstimated === other.isEstimated &&
    one.serviceTier === other.serviceTier &&
    one.costSource === other.costSource &&
    one.priceTableVersion === other.priceTableVersion
  );
}

function ownText(record: UsageRecord): string {
  return textOf([
    Math.round(record.startedAtMs),
    record.callId,
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
  ]);
}

/** Most calls have none. */
function labelsText(labels: UsageRecord['labels']): string {
  for (const _name in labels) return textOf(labels);
  return '{}';
}

/** JSON has a number of what is exact as one; both stores read the text of a larger one as the same integer. */
function exactly(nanoUsd: bigint | undefined): number | string | undefined {
  if (nanoUsd === undefined) return undefined;
  const number = Number(nanoUsd);
  return Number.isSafeInteger(number) ? number : `${nanoUsd}`;
}

function textOf(value: unknown): string {
  const text = JSON.stringify(value);
  return REFUSED.test(text) ? JSON.stringify(storable(value)) : text;
}

function storable(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed().replaceAll('\0', '\uFFFD');
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(storable);
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [storable(key), storable(entry)]));
}
