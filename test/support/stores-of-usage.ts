import { DatabaseSync } from 'node:sqlite';

import { Client, types } from 'pg';

import type { UsageRecord } from '../../src/ledger/port/usage-record.ts';
import { USAGE_COLUMNS } from '../../src/ledger/schema/columns.ts';
import { POSTGRES_MIGRATIONS } from '../../src/ledger/schema/postgres-migrations.ts';
import { SQLITE_MIGRATIONS } from '../../src/ledger/schema/sqlite-migrations.ts';
import type { StoredRow, UsageStore } from '../../src/ledger/store/usage-store.ts';
import { postgresPrograms, startScratchPostgres } from './scratch-postgres.ts';

/** A store with the real tables in a real database, which a test fills by itself. */
export interface FilledStore extends Pick<UsageStore, 'dialect' | 'read'> {
  /** Has these records and no others from then on. */
  holds(records: readonly UsageRecord[]): Promise<void>;
  close(): Promise<void>;
}

/** The databases that there are on this machine; `open` of those that are not is undefined. */
export const STORES_OF_USAGE: readonly {
  readonly name: string;
  readonly open: (() => Promise<FilledStore>) | undefined;
}[] = [
  { name: 'SQLite', open: async () => openSqlite() },
  { name: 'PostgreSQL', open: postgresPrograms() === undefined ? undefined : openPostgres },
];

function openSqlite(): FilledStore {
  const database = new DatabaseSync(':memory:');
  for (const migration of SQLITE_MIGRATIONS) database.exec(migration);
  return {
    dialect: 'sqlite',
    read: async (sql, values) => {
      const statement = database.prepare(sql);
      statement.setReadBigInts(true);
      return statement.all(...values) as readonly unknown[] as readonly StoredRow[];
    },
    holds: async (records) => {
      database.exec('BEGIN; DELETE FROM usage_attempts');
      const insert = database.prepare(insertSql(() => '?'));
      for (const record of records) {
        insert.run(...valuesOf(record).map((value) => (typeof value === 'boolean' ? Number(value) : value)));
      }
      database.exec('COMMIT');
    },
    close: async () => database.close(),
  };
}

async function openPostgres(): Promise<FilledStore> {
  const server = await startScratchPostgres(postgresPrograms() ?? '');
  const client = new Client({
    connectionString: server.url,
    types: {
      getTypeParser: (oid, format) => (oid === types.builtins.INT8 ? BigInt : types.getTypeParser(oid, format)),
    },
  });
  await client.connect();
  // Buckets are of UTC, wherever the session is.
  await client.query("SET TIME ZONE 'Asia/Kolkata'");
  for (const migration of POSTGRES_MIGRATIONS) await client.query(migration);
  await client.query('CREATE TABLE usage_attempts_all PARTITION OF usage_attempts DEFAULT');
  return {
    dialect: 'postgres',
    read: async (sql, values) => (await client.query<Record<string, StoredRow[string]>>(sql, [...values])).rows,
    holds: async (records) => {
      await client.query('TRUNCATE usage_attempts');
      const sql = insertSql((index) => `$${index + 1}`);
      for (const record of records) await client.query(sql, [...valuesOf(record)]);
    },
    close: async () => {
      await client.end();
      await server.stop();
    },
  };
}

function insertSql(place: (index: number) => string): string {
  const names = USAGE_COLUMNS.map(({ name }) => name);
  return `INSERT INTO usage_attempts (${names.join(', ')}) VALUES (${names.map((_name, index) => place(index)).join(', ')})`;
}

function valuesOf(record: UsageRecord): readonly (string | number | bigint | boolean | null)[] {
  const fields: Readonly<Record<string, unknown>> = { ...record };
  return USAGE_COLUMNS.map(({ name }) => {
    if (name === 'call_id') return record.id.slice(0, record.id.lastIndexOf('.'));
    if (name === 'caller_group') return record.group;
    if (name === 'labels') return JSON.stringify(record.labels);
    const value = fields[name.replaceAll(/_(\w)/g, (_match, letter: string) => letter.toUpperCase())];
    return value === undefined ? null : (value as string | number | bigint | boolean);
  });
}
