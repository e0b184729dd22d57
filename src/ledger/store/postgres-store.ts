import type { Pool, PoolClient } from 'pg';

import { partsOfRow } from '../journal/row-encoder.ts';
import { OWN_COLUMNS, SHARED_COLUMNS, USAGE_COLUMNS, type UsageColumn } from '../schema/columns.ts';
import { POSTGRES_MIGRATIONS } from '../schema/postgres-migrations.ts';
import { asStoreError, openPool, STATEMENT_MS } from './postgres-pool.ts';
import type { StoredRow, UsageStore } from './usage-store.ts';
import { type UtcMonth, utcMonth, utcMonthOf } from './utc-month.ts';

/** Under this lock schemas and partitions are made, one process at a time: the first bytes of "understudy". */
const LOCK = 0x756e6465;

const COLUMNS = USAGE_COLUMNS.map(({ name }) => name).join(', ');
const VALUES = [...valuesAt(1, OWN_COLUMNS), ...valuesAt(0, SHARED_COLUMNS)].join(', ');
const INSERT = `INSERT INTO usage_attempts (${COLUMNS}) SELECT ${VALUES} FROM jsonb_array_elements($1::jsonb) AS r(value) ON CONFLICT DO NOTHING`;
/** The name of a partition, with its schema where that is not searched. */
const PARTITION = /^.*usage_attempts_(\d{4,})_(\d{2})"?$/;
const PARTITIONS = `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = to_regclass('usage_attempts')`;

/** Keeps usage in PostgreSQL, 13 or later, for any number of gateways. */
export class PostgresStore implements UsageStore {
  readonly dialect = 'postgres';
  readonly #url: string;
  #pool: Promise<Pool> | undefined;
  #isMigrated = false;
  /** Months that have their partition, by their first instant. */
  readonly #months = new Set<number>();

  /** @param url of the database, with user and password; it stands in no error */
  constructor(url: string) {
    this.#url = url;
  }

  async open(): Promise<void> {
    if (this.#isMigrated) return;
    await this.#locked(migrate);
    this.#isMigrated = true;
  }

  async write(rows: readonly string[]): Promise<void> {
    await this.open();
    const parts = rows.map(partsOfRow);
    const instants = parts.map(({ own }) => Number.parseInt(own.slice(1), 10));
    await this.#makePartitions(new Set(instants.map((atMs) => utcMonthOf(atMs).startMs)));
    try {
      await this.#query(INSERT, [`[${parts.map(({ shared, own }) => `[${shared},${own}]`).join(',')}]`]);
    } catch (error) {
      // Another process may have dropped one meanwhile: the next time they are looked for again.
      this.#months.clear();
      throw error;
    }
  }

  async read(sql: string, values: readonly (string | number | bigint | null)[]): Promise<readonly StoredRow[]> {
    await this.open();
    // The server ends it too: a question of a whole year must not go on when nobody waits for it any more.
    return this.#inTransaction(`SET LOCAL statement_timeout = ${STATEMENT_MS}`, async (client) => {
      const { rows } = await client.query<StoredRow>(sql, [...values]);
      return rows;
    });
  }

  async prune(beforeMs: number): Promise<boolean> {
    await this.open();
    const found = await this.#query(PARTITIONS, []);
    const old = found.flatMap(({ name }) => {
      const [whole, year, month] = typeof name === 'string' ? (PARTITION.exec(name) ?? []) : [];
      const isOld = whole !== undefined && utcMonth(Number(year), Number(month)).endMs <= beforeMs;
      return isOld ? [whole] : [];
    });
    const [first] = old;
    if (first === undefined) return false;
    this.#months.clear();
    await this.#locked(async (client) => {
      await client.query(`DROP TABLE IF EXISTS ${first}`);
    });
    return old.length > 1;
  }

  async close(): Promise<void> {
    const pool = await this.#pool?.catch(() => undefined);
    this.#pool = undefined;
    await pool?.end().catch(() => undefined);
  }

  /** Makes the partitions of months, and of the month behind the last one, that are not there. */
  async #makePartitions(startsMs: ReadonlySet<number>): Promise<void> {
    const months = [...startsMs].map(utcMonthOf);
    const last = months.reduce((latest, month) => (month.startMs > latest.startMs ? month : latest), utcMonth(1970, 1));
    const missing = [...months, utcMonth(last.year, last.month + 1)].filter(
      ({ startMs }) => !this.#months.has(startMs),
    );
    if (missing.length === 0) return;
    await this.#locked(async (client) => {
      for (const month of missing) await makePartition(client, month);
    });
    for (const { startMs } of missing) this.#months.add(startMs);
  }

  async #query(sql: string, values: readonly (string | number | bigint | null)[]): Promise<readonly StoredRow[]> {
    try {
      const pool = await this.#connected();
      const { rows } = await pool.query<StoredRow>(sql, [...values]);
      return rows;
    } catch (error) {
      throw asStoreError(error);
    }
  }

  /** Runs steps in one transaction, one process at a time. */
  #locked(steps: (client: PoolClient) => Promise<void>): Promise<void> {
    return this.#inTransaction("SET LOCAL lock_timeout = '10s'", async (client) => {
      await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
      await steps(client);
    });
  }

  async #inTransaction<Result>(setting: string, steps: (client: PoolClient) => Promise<Result>): Promise<Result> {
    let client: PoolClient | undefined;
    try {
      const pool = await this.#connected();
      client = await pool.connect();
      await client.query(`BEGIN; ${setting}`);
      const result = await steps(client);
      await client.query('COMMIT');
      client.release();
      return result;
    } catch (error) {
      client?.release(true);
      throw asStoreError(error);
    }
  }

  #connected(): Promise<Pool> {
    this.#pool ??= openPool(this.#url);
    return this.#pool;
  }
}

/** What stands for the values of columns in one of the two arrays of a row. */
function valuesAt(part: number, columns: readonly UsageColumn[]): readonly string[] {
  return columns.map(({ type }, at) => `(r.value -> ${part} ->> ${at})::${type}`);
}

async function migrate(client: PoolClient): Promise<void> {
  const { rows: there } = await client.query<StoredRow>(
    `SELECT to_regclass('usage_migrations') IS NOT NULL AS is_there`,
  );
  if (there[0]?.['is_there'] !== true) {
    await client.query(
      'CREATE TABLE usage_migrations (step integer PRIMARY KEY, taken_at timestamptz NOT NULL DEFAULT now())',
    );
  }
  const { rows } = await client.query<StoredRow>('SELECT coalesce(max(step), 0) AS taken FROM usage_migrations');
  const taken = Number(rows[0]?.['taken'] ?? 0);
  for (const [at, step] of POSTGRES_MIGRATIONS.entries()) {
    if (at < taken) continue;
    await client.query(step);
    await client.query('INSERT INTO usage_migrations (step) VALUES ($1)', [at + 1]);
  }
}

/** To attach a table waits for nobody who reads, as making a partition would. */
async function makePartition(client: PoolClient, { year, month, startMs, endMs }: UtcMonth): Promise<void> {
  const name = `usage_attempts_${year}_${String(month).padStart(2, '0')}`;
  const { rows } = await client.query<StoredRow>('SELECT to_regclass($1) IS NULL AS is_missing', [name]);
  if (rows[0]?.['is_missing'] !== true) return;
  await client.query(`CREATE TABLE ${name} (LIKE usage_attempts INCLUDING DEFAULTS INCLUDING CONSTRAINTS)`);
  await client.query(`ALTER TABLE usage_attempts ATTACH PARTITION ${name} FOR VALUES FROM (${startMs}) TO (${endMs})`);
}
