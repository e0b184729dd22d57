import type { UsageFilter, UsageKey } from '../port/usage-queries.ts';
import type { UsageStore } from '../store/usage-store.ts';

/** Names of labels that can stand in a path of SQLite as they are. */
const PLAIN_NAME = /^[^"\\\p{Cc}]+$/u;

const LABEL = 'label:';

/** Times as text, by their parts, in the words of each database. */
const TIME_FORMS = {
  sqlite: { hour: '%Y-%m-%dT%H:00:00Z', day: '%Y-%m-%dT00:00:00Z', month: '%Y-%m-01T00:00:00Z' },
  postgres: {
    hour: 'YYYY-MM-DD"T"HH24:00:00"Z"',
    day: 'YYYY-MM-DD"T00:00:00Z"',
    month: 'YYYY-MM"-01T00:00:00Z"',
  },
} as const;

/** What stands for a key that is a column. */
const COLUMNS: Readonly<Record<string, string>> = {
  caller: 'caller',
  group: 'caller_group',
  provider: 'provider',
  target: 'target',
  model: "COALESCE(NULLIF(reported_model, ''), model)",
  service_tier: 'service_tier',
} satisfies Record<Exclude<UsageKey, `label:${string}` | 'hour' | 'day' | 'month'>, string>;

/** A statement of SQL in the making, with its values. */
export class Statement {
  readonly dialect: UsageStore['dialect'];
  readonly values: (string | number | bigint)[] = [];

  constructor(dialect: UsageStore['dialect']) {
    this.dialect = dialect;
  }

  /** Takes a value and returns what stands for it. */
  value(value: string | number | bigint): string {
    this.values.push(value);
    return this.dialect === 'sqlite'
      ? '?'
      : `$${this.values.length}${typeof value === 'string' ? '::text' : '::bigint'}`;
  }

  /** Returns what a key is, as text that is never null. */
  key(key: UsageKey): string {
    const { dialect } = this;
    if (key.startsWith(LABEL)) return this.#label(key.slice(LABEL.length));
    if (key === 'hour' || key === 'day' || key === 'month') {
      const form = TIME_FORMS[dialect][key];
      return dialect === 'sqlite'
        ? `strftime('${form}', started_at_ms / 1000, 'unixepoch')`
        : `to_char(to_timestamp(started_at_ms / 1000) AT TIME ZONE 'UTC', '${form}')`;
    }
    return COLUMNS[key] ?? "''";
  }

  /** Returns the condition that a row counts. */
  matches({ startMs, endMs, equals }: UsageFilter): string {
    const conditions = [`started_at_ms >= ${this.value(startMs)}`, `started_at_ms < ${this.value(endMs)}`];
    for (const [key, value] of equals) conditions.push(`${this.key(key)} = ${this.value(value)}`);
    return conditions.join(' AND ');
  }

  /** Returns what orders texts by their bytes: as SQLite does, whatever the language of the database is. */
  get byBytes(): string {
    return this.dialect === 'sqlite' ? '' : ' COLLATE "C"';
  }

  #label(name: string): string {
    if (this.dialect === 'postgres') return `COALESCE(labels ->> ${this.value(name)}, '')`;
    if (PLAIN_NAME.test(name)) return `COALESCE(json_extract(labels, ${this.value(`$."${name}"`)}), '')`;
    return `COALESCE((SELECT value FROM json_each(labels) WHERE key = ${this.value(name)}), '')`;
  }
}
