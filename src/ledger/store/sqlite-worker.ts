import { closeSync, openSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

import { readLines, textOfRows } from '../journal/framed-rows.ts';
import { isRow } from '../journal/row-encoder.ts';
import { SQLITE_MIGRATIONS } from '../schema/sqlite-migrations.ts';
import { RowInserts } from './row-inserts.ts';
import type { StoredRow } from './usage-store.ts';

/** What the thread is asked to do. */
export type SqliteTask =
  | { readonly kind: 'open' }
  | { readonly kind: 'write'; readonly rows: readonly string[] }
  | { readonly kind: 'write file'; readonly path: string }
  | { readonly kind: 'read'; readonly sql: string; readonly values: readonly SQLInputValue[] }
  | { readonly kind: 'prune'; readonly beforeMs: number }
  | { readonly kind: 'close' };

/** What it answers; `errcode` is SQLite's own number, `text` its own words for that. */
export type SqliteReply =
  | { readonly id: number; readonly rows: readonly StoredRow[] }
  | { readonly id: number; readonly errcode: number; readonly text: string };

/** How long another process may hold the file, in milliseconds. */
const BUSY_MS = 5_000;

/** Rows of a table that are deleted in one step: writing waits for no longer than that. */
const PRUNED_ROWS = 2_000;

/** SQLite's code for what is of another kind. */
const MISMATCH = 20;

const KEY = 'started_at_ms, call_id, number';
const PRUNE = `DELETE FROM usage_rows WHERE (${KEY}) IN (SELECT ${KEY} FROM usage_rows WHERE started_at_ms < ? ORDER BY ${KEY} LIMIT ${PRUNED_ROWS})`;
const PRUNE_SHARED = `DELETE FROM usage_shared WHERE id IN (SELECT id FROM usage_shared WHERE until_ms <= ? LIMIT ${PRUNED_ROWS})`;

let database: DatabaseSync | undefined;

parentPort?.on('message', ({ id, task }: { readonly id: number; readonly task: SqliteTask }) => {
  parentPort?.postMessage(answer(id, task), []);
});

function answer(id: number, task: SqliteTask): SqliteReply {
  try {
    return { id, rows: carryOut(task) };
  } catch (error) {
    const known = error instanceof Error && 'errcode' in error && 'errstr' in error;
    // A row that is no JSON is to blame itself: tried again it would hold up all others.
    const errcode = known ? Number(error.errcode) : error instanceof SyntaxError ? MISMATCH : 0;
    return { id, errcode, text: known ? String(error.errstr) : codeOf(error) };
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'failed';
}

function carryOut(task: SqliteTask): readonly StoredRow[] {
  switch (task.kind) {
    case 'open':
      database ??= openDatabase();
      return [];
    case 'write':
      write(opened(), task.rows);
      return [];
    case 'write file':
      return writeFile(opened(), task.path);
    case 'read':
      return read(task.sql, task.values);
    case 'prune':
      return prune(opened(), task.beforeMs) ? [{ more: true }] : [];
    case 'close':
      database?.close();
      database = undefined;
      return [];
  }
}

function opened(): DatabaseSync {
  database ??= openDatabase();
  return database;
}

/** Deletes old rows and, behind the last of them, what only they had in common; returns whether there may be more. */
function prune(file: DatabaseSync, beforeMs: number): boolean {
  let hasMore = false;
  inTransaction(file, () => {
    hasMore = [PRUNE, PRUNE_SHARED].some((step) => Number(file.prepare(step).run(beforeMs).changes) === PRUNED_ROWS);
  });
  return hasMore;
}

function write(file: DatabaseSync, rows: readonly string[]): void {
  inTransaction(file, () => {
    const inserts = new RowInserts(file);
    inserts.add(rows);
    inserts.end();
  });
}

/** The thread of calls has nothing to do with rows that are in the journal: neither to hold nor to send nor to read them. */
function writeFile(file: DatabaseSync, path: string): readonly StoredRow[] {
  const text = textOfRows(path);
  let count = 0;
  let damaged: readonly string[] = [];
  inTransaction(file, () => {
    const inserts = new RowInserts(file);
    damaged = readLines(text, (rows) => {
      if (!rows.every(isRow)) throw Object.assign(new Error(), { errcode: MISMATCH, errstr: 'of an early version' });
      inserts.add(rows);
      count += rows.length;
    });
    inserts.end();
  });
  return [{ rows: count }, ...damaged.map((line) => ({ text: line }))];
}

function read(sql: string, values: readonly SQLInputValue[]): readonly StoredRow[] {
  const statement = opened().prepare(sql);
  statement.setReadBigInts(true);
  return statement.all(...values).map((row) =>
    // Nothing of ours is a blob.
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value instanceof Uint8Array ? null : value])),
  );
}

function openDatabase(): DatabaseSync {
  const path = String(workerData);
  makeFile(path);
  // Numbers of what attempts share come from the table itself, in the same transaction: to look each of them up again costs a tenth.
  const file = new DatabaseSync(path, { timeout: BUSY_MS, enableForeignKeyConstraints: false });
  try {
    // What is written is safe from a loss of power too: there is one sync for a batch, and nobody waits for it.
    file.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864');
    // Request ids of callers are in no order: what they change of their index is written together.
    file.exec('PRAGMA wal_autocheckpoint = 8000; PRAGMA cache_size = -32000');
    migrate(file);
  } catch (error) {
    file.close();
    throw error;
  }
  return file;
}

/** SQLite makes its other files as the first one is: for nobody else to read. */
function makeFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

function migrate(file: DatabaseSync): void {
  inTransaction(file, () => {
    const taken = Number(file.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
    for (const step of SQLITE_MIGRATIONS.slice(taken)) file.exec(step);
    if (taken < SQLITE_MIGRATIONS.length) file.exec(`PRAGMA user_version = ${SQLITE_MIGRATIONS.length}`);
  });
}

function inTransaction(file: DatabaseSync, steps: () => void): void {
  file.exec('BEGIN IMMEDIATE');
  try {
    steps();
    file.exec('COMMIT');
  } catch (error) {
    if (file.isTransaction) file.exec('ROLLBACK');
    throw error;
  }
}
