import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { UsageRecord } from '../../src/ledger/port/usage-record.ts';
import { PostgresStore } from '../../src/ledger/store/postgres-store.ts';
import { SqliteStore } from '../../src/ledger/store/sqlite-store.ts';
import type { UsageStore } from '../../src/ledger/store/usage-store.ts';
import { postgresPrograms, startScratchPostgres } from './scratch-postgres.ts';
import { usageRow } from './usage-records.ts';

/** A real store in a database of its own, which a test fills. */
export interface FilledStore extends UsageStore {
  /** Has these records and no others from then on. */
  holds(records: readonly UsageRecord[]): Promise<void>;
}

/** The stores that there are, each with whether its database is installed on this machine. */
export const STORES_OF_USAGE: readonly {
  readonly name: string;
  readonly isThere: boolean;
  readonly open: () => Promise<FilledStore>;
}[] = [
  { name: 'SQLite', isThere: true, open: openSqliteStore },
  {
    name: 'PostgreSQL (skipped where it is not installed)',
    isThere: postgresPrograms() !== undefined,
    open: openPostgres,
  },
];

/** Opens a SQLite in a folder of its own. */
export async function openSqliteStore(): Promise<FilledStore> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-usage-'));
  return filled(new SqliteStore(join(folder, 'usage.db')), () => rm(folder, { recursive: true, force: true }));
}

async function openPostgres(): Promise<FilledStore> {
  const server = await startScratchPostgres(postgresPrograms() ?? '');
  const store = new PostgresStore(server.url);
  await store.open();
  // Buckets are of UTC, wherever the sessions are; the connections of the store that are open already have read it otherwise.
  await store.read(`ALTER DATABASE postgres SET timezone TO 'Asia/Kolkata'`, []);
  await store.close();
  return filled(new PostgresStore(server.url), () => server.stop());
}

function filled(store: UsageStore, clean: () => Promise<void>): FilledStore {
  return {
    dialect: store.dialect,
    open: () => store.open(),
    write: (rows) => store.write(rows),
    read: (sql, values) => store.read(sql, values),
    prune: (beforeMs) => store.prune(beforeMs),
    holds: async (records) => {
      await store.read(`DELETE FROM ${store.dialect === 'sqlite' ? 'usage_rows' : 'usage_attempts'}`, []);
      if (records.length > 0) await store.write(records.map(usageRow));
    },
    close: async () => {
      await store.close();
      await clean();
    },
  };
}
