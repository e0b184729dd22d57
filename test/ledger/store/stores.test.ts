import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Journal } from '../../../src/ledger/journal/journal.ts';
import { RowEncoder } from '../../../src/ledger/journal/row-encoder.ts';
import { askStore } from '../../../src/ledger/queries/ask-store.ts';
import { USAGE_COLUMNS } from '../../../src/ledger/schema/columns.ts';
import { SQLITE_MIGRATIONS } from '../../../src/ledger/schema/sqlite-migrations.ts';
import { PostgresStore } from '../../../src/ledger/store/postgres-store.ts';
import { SqliteStore } from '../../../src/ledger/store/sqlite-store.ts';
import type { UsageStore } from '../../../src/ledger/store/usage-store.ts';
import { postgresPrograms, type ScratchPostgres, startScratchPostgres } from '../../support/scratch-postgres.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { usageRecord, usageRow } from '../../support/usage-records.ts';

const ALL = { startMs: 0, endMs: Date.UTC(2100, 0, 1), equals: new Map() } as const;

const RECORDS = [
  usageRecord({
    callId: 'a',
    startedAtMs: Date.UTC(2025, 11, 31, 23, 59, 59, 999),
    labels: { 'team "x"': 'rot\u2028' },
  }),
  usageRecord({ callId: 'b', startedAtMs: Date.UTC(2026, 0, 1), costNanoUsd: undefined, costSource: 'UNKNOWN' }),
  usageRecord({ callId: 'b', number: 2, startedAtMs: Date.UTC(2026, 0, 1, 0, 0, 0, 1), isServing: false }),
  usageRecord({ callId: 'c', costNanoUsd: 9_007_199_254_740_993n, firstOutputMs: 0.125, isEstimated: true }),
];

let server: ScratchPostgres | undefined;
beforeAll(async () => {
  const programs = postgresPrograms();
  server = programs === undefined ? undefined : await startScratchPostgres(programs);
});
afterAll(() => server?.stop());

const STORES = [
  { name: 'SQLite', isThere: true, open: (): UsageStore => new SqliteStore(join(temporaryFolder(), 'usage.db')) },
  {
    name: 'PostgreSQL (skipped where it is not installed)',
    isThere: postgresPrograms() !== undefined,
    open: (): UsageStore => new PostgresStore(server?.url ?? ''),
  },
];

async function recordsOf(store: UsageStore): Promise<readonly unknown[]> {
  return (await Array.fromAsync(askStore(store).records(ALL))).flat();
}

/** How many kinds of attempts a file of SQLite knows. */
async function kindsOf(store: UsageStore): Promise<number> {
  return Number((await store.read('SELECT count(*) AS kinds FROM usage_shared', []))[0]?.['kinds']);
}

/** As SQLite has it. */
function asStored(value: unknown): string | number | null {
  if (typeof value === 'object') return value === null ? null : JSON.stringify(value);
  return typeof value === 'string' ? value : Number(value);
}

describe.each(STORES)('$name', ({ isThere, open }) => {
  test.skipIf(!isThere)('gives back what was written, across months, once however often it was written', async () => {
    const store = open();
    await store.write(RECORDS.slice(0, 3).map(usageRow));
    await store.write(RECORDS.map(usageRow));
    expect(await recordsOf(store)).toEqual(RECORDS.map((record) => ({ firstOutputMs: undefined, ...record })));
    await store.close();
  });

  test.skipIf(!isThere)('takes rows of a newer version, and passes over what it does not know', async () => {
    const store = open();
    const [row = ''] = [usageRecord({ callId: 'newer' })].map(usageRow);
    await store.write([`${row.slice(0, -1)},"of a newer version"]`.replace(']\t', ',"and this"]\t')]);
    const found = await askStore(store).attemptsOf('request-1');
    expect(found.map(({ callId }) => callId)).toContain('newer');
    await store.close();
  });

  test.skipIf(!isThere)('blames a row that it cannot take, and takes none of its batch', async () => {
    const store = open();
    const good = Array.from({ length: 40 }, (_, number) =>
      usageRow(usageRecord({ callId: 'good', number, requestId: 'of-a-bad-batch' })),
    );
    const row = usageRow(usageRecord({ callId: 'bad' }));
    for (const bad of [
      row.replace('"Chat"', 'null'),
      row.replace('"bad"', 'null'),
      row.replace('"bad",1', '"bad","x"'),
    ]) {
      expect(bad).not.toBe(row);
      await expect(store.write([...good.slice(0, 30), bad, ...good.slice(30)])).rejects.toMatchObject({
        fault: 'rows',
      });
      expect(await askStore(store).attemptsOf('of-a-bad-batch')).toEqual([]);
    }
    await store.close();
  });

  test.skipIf(!isThere)('blames a row that it cannot read', async () => {
    const store = open();
    const row = usageRow(usageRecord({ callId: 'unread' }));
    for (const bad of [row.slice(row.indexOf('\t')), row.slice(0, -1)]) {
      await expect(store.write([bad])).rejects.toMatchObject({ fault: 'rows' });
    }
    await store.close();
  });

  test.skipIf(!isThere)('deletes what is older than it is kept, and nothing else', async () => {
    const store = open();
    await store.write(RECORDS.map(usageRow));
    const before = Date.UTC(2026, 0, 1);
    while (await store.prune(before));
    const left = await askStore(store).sums(ALL, ['month'], { limit: 10 });
    expect(left.map(({ keys }) => keys[0])).toEqual(['2026-01-01T00:00:00Z', '2026-11-01T00:00:00Z']);
    // What was replayed from a journal may be as old.
    await store.write(RECORDS.map(usageRow));
    expect(await askStore(store).sums(ALL, ['month'], { limit: 10 })).toHaveLength(3);
    await store.close();
  });

  test.skipIf(!isThere)('is made by two that open it at the same time', async () => {
    const [one, other] = [open(), open()];
    await Promise.all([one.open(), other.open()]);
    await Promise.all([one.write(RECORDS.map(usageRow)), other.write(RECORDS.map(usageRow))]);
    await Promise.all([one.close(), other.close()]);
  });
});

test('SQLite says that a file is no database, or cannot be written, and blames the configuration', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'text.db'), 'This is no database, and long enough to be seen as none. '.repeat(20));
  for (const path of [join(folder, 'text.db'), folder, join(folder, 'missing', 'usage.db')]) {
    const store = new SqliteStore(path);
    await expect(store.open()).rejects.toMatchObject({ fault: 'settings' });
    await store.close();
  }
});

test('SQLite reads a file of the journal as it was told of the records, whatever they share', async () => {
  const folder = temporaryFolder();
  const journal = new Journal(join(folder, 'journal'));
  const encoder = new RowEncoder();
  const records = Array.from({ length: 111 }, (_, at) =>
    usageRecord({
      callId: `call-${String(at).padStart(3, '0')}`,
      model: `model-${at % 7 < 4 ? 'one' : at}`,
      // The second of those that are told together is of another month.
      startedAtMs: Date.UTC(2026, at < 64 ? 0 : 1, 1),
    }),
  );
  let path = '';
  for (let at = 0; at < records.length; at += 3) {
    const together = records.slice(at, at + 3).map((record, place) => encoder.encode(record, place > 0));
    path = journal.append(together)?.path ?? '';
  }
  const store = new SqliteStore(join(folder, 'usage.db'));
  expect(await store.writeFile(path)).toEqual({ rows: records.length, damaged: [] });
  expect(await store.writeFile(path)).toEqual({ rows: records.length, damaged: [] });
  expect(await recordsOf(store)).toEqual(records);
  while (await store.prune(Date.UTC(2026, 1, 1)));
  expect(await recordsOf(store)).toEqual(records.slice(64));
  await store.close();
});

test('SQLite forgets what attempts have in common with the last of a month that have it, and learns it again', async () => {
  const store = new SqliteStore(join(temporaryFolder(), 'usage.db'));
  const attempt = (month: number, at: number) => {
    const callId = `call-${month}-${String(at).padStart(4, '0')}`;
    return usageRecord({ callId, caller: `caller-${at}`, startedAtMs: Date.UTC(2026, month, 1) });
  };
  const january = Array.from({ length: 2_500 }, (_, at) => attempt(0, at));
  const february = [attempt(1, 0), attempt(1, 1)];
  await store.write([...january, ...february].map(usageRow));
  expect(await kindsOf(store)).toBe(2_502);
  while (await store.prune(Date.UTC(2026, 1, 1) - 1));
  expect(await kindsOf(store)).toBe(2_502);
  while (await store.prune(Date.UTC(2026, 1, 1)));
  expect(await kindsOf(store)).toBe(2);
  expect(await recordsOf(store)).toEqual(february);
  await store.write([...january.slice(0, 10), ...february].map(usageRow));
  expect(await recordsOf(store)).toEqual([...january.slice(0, 10), ...february]);
  await store.close();
});

test('SQLite does not blame the configuration for a file of the journal that cannot be read', async () => {
  const folder = temporaryFolder();
  const store = new SqliteStore(join(folder, 'usage.db'));
  await store.open();
  await expect(store.writeFile(folder)).rejects.toMatchObject({ fault: 'gone' });
  await store.close();
});

test('SQLite keeps what stands in a file of the first schema', async () => {
  const path = join(temporaryFolder(), 'usage.db');
  const database = new DatabaseSync(path);
  const [first = ''] = SQLITE_MIGRATIONS;
  database.exec(`${first}; PRAGMA user_version = 1`);
  const columns = USAGE_COLUMNS.map(({ name }) => name).join(', ');
  const insert = database.prepare(
    `INSERT INTO usage_attempts (${columns}) VALUES (${USAGE_COLUMNS.map(() => '?').join(', ')})`,
  );
  const records = [...RECORDS, usageRecord({ callId: 'd', httpStatus: undefined, outcome: 'PROVIDER_TIMEOUT' })];
  for (const record of records) {
    const [shared = '', own = ''] = usageRow(record).split('\t');
    const values: readonly unknown[] = [...JSON.parse(own), ...JSON.parse(shared)];
    insert.run(...values.map(asStored));
  }
  database.close();
  const store = new SqliteStore(path);
  expect(await recordsOf(store)).toEqual(records.map((record) => ({ firstOutputMs: undefined, ...record })));
  // The same once more changes nothing.
  await store.write(records.map(usageRow));
  expect(await recordsOf(store)).toHaveLength(records.length);
  while (await store.prune(ALL.endMs));
  expect(await kindsOf(store)).toBe(0);
  await store.close();
});

describe.skipIf(postgresPrograms() === undefined)('PostgreSQL (skipped where it is not installed)', () => {
  test('plans its questions with the indexes', async () => {
    const store = new PostgresStore(server?.url ?? '');
    await store.write(RECORDS.map(usageRow));
    const rows = await store.read("SELECT indexdef FROM pg_indexes WHERE tablename = 'usage_attempts_2026_11'", []);
    const defined = JSON.stringify(rows);
    for (const columns of ['(started_at_ms)', '(caller, started_at_ms)', '(request_id)']) {
      expect(defined).toContain(columns);
    }
    await store.close();
  });

  test('ends a question that takes too long itself', async () => {
    const store = new PostgresStore(server?.url ?? '');
    const found = await store.read("SELECT current_setting('statement_timeout') AS most", []);
    expect(found).toEqual([{ most: '1min' }]);
    await store.close();
  });

  test('blames the configuration for a user or database that is not there, and tells neither', async () => {
    const url = new URL(server?.url ?? '');
    url.pathname = '/missing-database';
    const store = new PostgresStore(url.href);
    const error: unknown = await store.open().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ fault: 'settings', message: '3D000' });
    await store.close();
  });

  test('is gone while it is down, and takes rows when it is back', async () => {
    const store = new PostgresStore(server?.url ?? '');
    await store.open();
    await server?.fail();
    const row = usageRow(usageRecord({ callId: 'later', requestId: 'later' }));
    await expect(store.write([row])).rejects.toMatchObject({ fault: 'gone' });
    await expect(store.write([row])).rejects.toMatchObject({ fault: 'gone', message: 'ECONNREFUSED' });
    await server?.start();
    await store.write([row]);
    expect(await askStore(store).attemptsOf('later')).toHaveLength(1);
    await store.close();
  });
});
