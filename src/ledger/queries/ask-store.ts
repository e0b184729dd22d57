import type { UsageFilter, UsageKey, UsageQueries, UsageSum } from '../port/usage-queries.ts';
import type { UsageRecord } from '../port/usage-record.ts';
import { USAGE_COLUMNS } from '../schema/columns.ts';
import type { StoredRow, UsageStore } from '../store/usage-store.ts';
import { Statement } from './statement.ts';
import { storedRecord, storedText, storedWhole } from './stored-record.ts';

/** Records that are read at a time. */
const PAGE_RECORDS = 1_000;

/** Most attempts that are told of one request: callers may give all theirs the same id. */
const MAX_ATTEMPTS = 1_000;

const COLUMNS = USAGE_COLUMNS.map(({ name }) => name).join(', ');

const SUMMED = [
  'input_tokens',
  'cached_input_tokens',
  'output_tokens',
  'reasoning_tokens',
  'cost_nano_usd',
  'list_nano_usd',
];

/** Makes what answers questions about usage out of a store. */
export function askStore(store: Pick<UsageStore, 'dialect' | 'read'>): UsageQueries {
  const run = async (statement: Statement, sql: string): Promise<readonly StoredRow[]> =>
    store.read(sql, statement.values);
  return {
    async sums(filter, keys, { limit, after }) {
      const statement = new Statement(store.dialect);
      const rows = await run(statement, sumsSql(statement, filter, keys, limit, after));
      return rows.map((row) => sumOf(row, keys));
    },
    async attemptsOf(requestId, caller) {
      const statement = new Statement(store.dialect);
      const conditions = [`request_id = ${statement.value(requestId)}`];
      if (caller !== undefined) conditions.push(`caller = ${statement.value(caller)}`);
      const order = 'started_at_ms DESC, call_id DESC, number DESC';
      const found = `SELECT ${COLUMNS} FROM usage_attempts WHERE ${conditions.join(' AND ')}`;
      const rows = await run(statement, `${found} ORDER BY ${order} LIMIT ${MAX_ATTEMPTS}`);
      return rows.map(storedRecord).toReversed();
    },
    async *records(filter) {
      let last: UsageRecord | undefined;
      for (;;) {
        const statement = new Statement(store.dialect);
        const rows = await run(statement, recordsSql(statement, filter, last));
        const records = rows.map(storedRecord);
        if (records.length > 0) yield records;
        last = records.at(-1);
        if (records.length < PAGE_RECORDS) return;
      }
    },
    async spentSince(sinceMs) {
      const statement = new Statement(store.dialect);
      const rows = await run(
        statement,
        `SELECT caller, caller_group, CAST(SUM(cost_nano_usd) AS bigint) AS cost_nano_usd FROM usage_attempts
          WHERE started_at_ms >= ${statement.value(sinceMs)} AND cost_nano_usd > 0 GROUP BY caller, caller_group`,
      );
      return rows.map((row) => ({
        caller: storedText(row['caller']),
        group: storedText(row['caller_group']),
        nanoUsd: storedWhole(row['cost_nano_usd']),
      }));
    },
  };
}

function sumsSql(
  statement: Statement,
  filter: UsageFilter,
  keys: readonly UsageKey[],
  limit: number,
  after: readonly string[] | undefined,
): string {
  const names = keys.map((_key, index) => `key_${index}`);
  const ordered = names.map((name) => `${name}${statement.byBytes}`).join(', ');
  const keyed = keys.map((key, index) => `${statement.key(key)} AS key_${index}, `).join('');
  const rows = `SELECT ${keyed}call_id, ${SUMMED.join(', ')} FROM usage_attempts WHERE ${statement.matches(filter)}`;
  const sums = SUMMED.map((name) => `CAST(COALESCE(SUM(${name}), 0) AS bigint) AS ${name}`);
  const selected = [
    ...names,
    `COUNT(DISTINCT call_id${statement.byBytes}) AS requests`,
    'COUNT(*) AS attempts',
    'COUNT(*) - COUNT(cost_nano_usd) AS unknown_cost_attempts',
    ...sums,
  ].join(', ');
  const select = `SELECT ${selected} FROM (${rows}) AS counted`;
  if (keys.length === 0) return select;
  const behind =
    after === undefined ? '' : ` WHERE (${ordered}) > (${after.map((key) => statement.value(key)).join(', ')})`;
  return `${select}${behind} GROUP BY ${names.join(', ')} ORDER BY ${ordered} LIMIT ${statement.value(limit)}`;
}

function recordsSql(statement: Statement, filter: UsageFilter, last: UsageRecord | undefined): string {
  const startMs = last?.startedAtMs ?? filter.startMs;
  const conditions = [statement.matches({ ...filter, startMs })];
  if (last !== undefined) {
    const place = [last.startedAtMs, last.callId, last.number].map((value) => statement.value(value)).join(', ');
    conditions.push(`(started_at_ms, call_id, number) > (${place})`);
  }
  const order = 'started_at_ms, call_id, number';
  const found = `SELECT ${COLUMNS} FROM usage_attempts WHERE ${conditions.join(' AND ')}`;
  return `${found} ORDER BY ${order} LIMIT ${PAGE_RECORDS}`;
}

function sumOf(row: StoredRow, keys: readonly UsageKey[]): UsageSum {
  return {
    keys: keys.map((_key, index) => storedText(row[`key_${index}`])),
    requests: Number(row['requests']),
    attempts: Number(row['attempts']),
    inputTokens: storedWhole(row['input_tokens']),
    cachedInputTokens: storedWhole(row['cached_input_tokens']),
    outputTokens: storedWhole(row['output_tokens']),
    reasoningTokens: storedWhole(row['reasoning_tokens']),
    costNanoUsd: storedWhole(row['cost_nano_usd']),
    listNanoUsd: storedWhole(row['list_nano_usd']),
    unknownCostAttempts: Number(row['unknown_cost_attempts']),
  };
}
