import type { Pool } from 'pg';

import { StoreError } from './usage-store.ts';

/** Connections of one gateway: one writes, the others read. */
const MOST_CONNECTIONS = 4;
/** How long a connection may take, in milliseconds. */
const CONNECT_MS = 5_000;
/** How long a statement may take, in milliseconds. No parameter of connections says so: PgBouncer refuses those that it does not know. */
export const STATEMENT_MS = 60_000;

/** SQLSTATE classes: data and constraints; and refused users, missing databases and schemas, and missing rights. */
const OF_ROWS = /^(22|23)...$/;
const OF_SETTINGS = /^(28...|3D...|3F...|42501)$/;
/** No partition for a row is no fault of the row, which has one the next time. */
const WITHOUT_PARTITION = '23514';

/** Opens connections when they are needed; 64-bit integers come as `bigint`. Loads the driver, which most gateways need not. */
export async function openPool(url: string): Promise<Pool> {
  const { default: pg } = await import('pg');
  const types = new pg.TypeOverrides();
  types.setTypeParser(pg.types.builtins.INT8, BigInt);
  const pool = new pg.Pool({
    connectionString: url,
    max: MOST_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: STATEMENT_MS + CONNECT_MS,
    application_name: 'understudy',
    keepAlive: true,
    allowExitOnIdle: true,
    types,
  });
  // Of an idle connection that was lost; the next question opens another.
  pool.on('error', () => undefined);
  return pool;
}

/** Says why PostgreSQL did not do something: by its code, as messages have values in them. */
export function asStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'no connection';
  if (OF_SETTINGS.test(code)) return new StoreError(code, 'settings');
  return new StoreError(code, OF_ROWS.test(code) && code !== WITHOUT_PARTITION ? 'rows' : 'gone');
}
