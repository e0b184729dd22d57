import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { frameRows, readRowsFile } from '../../src/ledger/journal/framed-rows.ts';
import { Journal } from '../../src/ledger/journal/journal.ts';
import { partsOfRow } from '../../src/ledger/journal/row-encoder.ts';
import type { LedgerEvent } from '../../src/ledger/port/ledger-figures.ts';
import { StoreError, type StoreFault, type UsageStore } from '../../src/ledger/store/usage-store.ts';
import { UsageLedger } from '../../src/ledger/usage-ledger.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { usageRecord } from '../support/usage-records.ts';
import { createVirtualSystem } from '../support/virtual-system.ts';

/** A store in memory that fails when it is told to. */
class FlakyStore implements UsageStore {
  readonly dialect = 'sqlite';
  readonly batches: string[][] = [];
  fault: StoreFault | undefined;
  refuses = '(nothing)';
  isClosed = false;
  hangs = false;
  writeFile: UsageStore['writeFile'];

  get ids(): readonly string[] {
    return this.batches.flat().map((row) => String(JSON.parse(partsOfRow(row).own)[1]));
  }

  async open(): Promise<void> {
    this.#fail();
  }

  async write(rows: readonly string[]): Promise<void> {
    this.#fail();
    if (this.hangs) await new Promise(() => undefined);
    if (rows.some((row) => row.includes(this.refuses))) throw new StoreError('23502', 'rows');
    this.batches.push([...rows]);
  }

  async read(): Promise<readonly never[]> {
    return [];
  }

  async prune(): Promise<boolean> {
    return false;
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }

  #fail(): void {
    if (this.fault !== undefined) throw new StoreError('gone', this.fault);
  }
}

function openStage(folder = temporaryFolder()) {
  const store = new FlakyStore();
  const system = createVirtualSystem();
  const events: LedgerEvent[] = [];
  const happened = (event: LedgerEvent): void => void events.push(event);
  const ledger = new UsageLedger({ store, journal: new Journal(folder), system, happened });
  const record = async (...ids: readonly string[]): Promise<void> => {
    ledger.record(() => ids.map((callId) => usageRecord({ callId })));
    await Promise.resolve();
  };
  const files = (): readonly string[] => readdirSync(folder).filter((name) => /^\d+\.lines$/.test(name));
  return { store, system, events, ledger, record, folder, files };
}

describe('what is recorded', () => {
  test('is in the journal before a promise that is resolved behind it goes on', async () => {
    const { ledger, folder } = openStage();
    const answered = (async () => {
      ledger.record(() => [usageRecord({ callId: 'a' })]);
    })().then(() => new Journal(folder).left()[0]?.bytes ?? 0);
    expect(await answered).toBeGreaterThan(100);
  });

  test('goes to the store together with what came within a second, and from the journal then', async () => {
    const { store, system, ledger, record, files } = openStage();
    await ledger.open();
    await record('a', 'b');
    await system.advance(500);
    await record('c');
    await system.advance(499);
    expect(store.batches).toEqual([]);
    await system.advance(1);
    expect(store.batches.map(({ length }) => length)).toEqual([3]);
    expect(files()).toEqual([]);
    expect(ledger).toMatchObject({ waiting: 0, written: 3, dropped: 0, failures: 0, journalBytes: 0 });
  });

  test('goes at once where it is much', async () => {
    const { store, ledger, record } = openStage();
    await ledger.open();
    await record(...Array.from({ length: 5_000 }, (_, at) => `c${at}`));
    await Promise.resolve();
    expect(store.batches.map(({ length }) => length)).toEqual([5_000]);
  });

  test('is brought to the store by the next process where this one was killed', async () => {
    const { record, folder } = openStage();
    await record('a');
    await record('b');
    const next = openStage(folder);
    expect(await next.ledger.open()).toBe(true);
    expect(next.store.ids).toEqual(['a', 'b']);
    expect(next.events).toEqual([{ kind: 'replayed' }]);
    expect(next.files()).toEqual([]);
  });

  test('is written before the ledger closes', async () => {
    const { store, ledger, record } = openStage();
    await ledger.open();
    await record('a');
    ledger.record(() => [usageRecord({ callId: 'b' })]);
    await ledger.close();
    expect(store.ids).toEqual(['a', 'b']);
    expect(store.isClosed).toBe(true);
  });
});

describe('a store that reads files of the journal itself', () => {
  /** Has the store read them, as SQLite's thread does. */
  function openReading(folder?: string) {
    const stage = openStage(folder);
    const { store } = stage;
    const paths: string[] = [];
    store.writeFile = async (path) => {
      paths.push(path);
      const { rows, damaged } = readRowsFile(path);
      await store.write(rows);
      return { rows: rows.length, damaged };
    };
    return { ...stage, paths };
  }

  test('is given the file, once, and no rows; what is damaged is put aside', async () => {
    const { record, folder } = openStage();
    await record('a', 'b');
    await record('c');
    const [path = ''] = readdirSync(folder).map((name) => join(folder, name));
    appendFileSync(path, 'torn');
    const { store, ledger, paths } = openReading(folder);
    expect(await ledger.open()).toBe(true);
    expect(store.ids).toEqual(['a', 'b', 'c']);
    expect(paths).toEqual([path]);
    expect(ledger).toMatchObject({ waiting: 0, written: 3, dropped: 1 });
    expect(readFileSync(join(folder, 'left.rows'), 'utf8')).toBe('torn\n');
  });

  test('has a row that it refuses looked for', async () => {
    const { store, system, ledger, record } = openReading();
    await ledger.open();
    store.refuses = 'bad';
    await record('a', 'bad', 'b');
    await system.advance(1_000);
    expect(store.ids).toEqual(['a', 'b']);
    expect(ledger).toMatchObject({ waiting: 0, written: 2, dropped: 1 });
  });

  test('has what waited when it is back, and rows that are in memory alone', async () => {
    const { store, system, ledger, record, folder, paths } = openReading();
    await ledger.open();
    store.fault = 'gone';
    await record('a', 'lost');
    await system.advance(1_000);
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'no folder');
    await record('b');
    store.fault = undefined;
    await system.advance(4_000);
    // The file of the first is gone with its folder.
    expect(store.ids).toEqual(['b']);
    expect(new Set(paths).size).toBe(1);
    expect(ledger).toMatchObject({ waiting: 0, written: 1, dropped: 2 });
  });
});

test('a record that cannot be made is a fault, and spoils none of the calls that end with it', async () => {
  const { ledger, folder } = openStage();
  const faults: unknown[] = [];
  const heard = (fault: unknown): void => void faults.push(fault);
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException').once('uncaughtException', heard);
  ledger.record(() => {
    throw new Error('no record');
  });
  ledger.record(() => [usageRecord({ callId: 'a' })]);
  await new Promise<void>((resolve) => void setImmediate(resolve));
  process.removeAllListeners('uncaughtException');
  for (const listener of listeners) process.on('uncaughtException', listener);
  expect(faults).toEqual([new Error('no record')]);
  expect(new Journal(folder).left()[0]?.bytes).toBeGreaterThan(100);
});

describe('a store that is gone', () => {
  test('is tried again ever more rarely, while what is recorded waits; nothing is lost when it is back', async () => {
    const { store, system, events, ledger, record } = openStage();
    await ledger.open();
    expect(ledger.storeGoneSinceMs).toBeUndefined();
    store.fault = 'gone';
    await record('a');
    await system.advance(1_000);
    const storeGoneSinceMs = system.wall();
    await record('b');
    await system.advance(30_000);
    expect(ledger).toMatchObject({ waiting: 2, written: 0, failures: 5, storeGoneSinceMs });
    expect(events.every(({ kind }) => kind === 'store_failed')).toBe(true);
    store.fault = undefined;
    await system.advance(30_000);
    await system.advance(1_000);
    expect(store.ids).toEqual(['a', 'b']);
    expect(events.at(-1)).toEqual({ kind: 'store_back' });
    expect(ledger).toMatchObject({ waiting: 0, written: 2, storeGoneSinceMs: undefined });
  });

  test('at the start is no reason not to serve', async () => {
    const { store, system, ledger, record } = openStage();
    store.fault = 'gone';
    expect(await ledger.open()).toBe(false);
    await record('a');
    store.fault = undefined;
    await system.advance(2_000);
    expect(store.ids).toEqual(['a']);
  });

  test('at the start is known to be back although nobody calls', async () => {
    const { store, system, events, ledger } = openStage();
    store.fault = 'gone';
    await ledger.open();
    expect(ledger.storeGoneSinceMs).toBe(system.wall());
    await system.advance(2_000);
    store.fault = undefined;
    await system.advance(30_000);
    expect(ledger).toMatchObject({ failures: 2, storeGoneSinceMs: undefined });
    expect(events.at(-1)).toEqual({ kind: 'store_back' });
  });

  test('is told of at the start where the configuration is to blame', async () => {
    const { store, ledger } = openStage();
    store.fault = 'settings';
    await expect(ledger.open()).rejects.toThrow('gone');
  });

  test('keeps nobody from closing; the journal has what is left', async () => {
    const { store, system, ledger, record, folder } = openStage();
    await ledger.open();
    store.hangs = true;
    await record('a');
    await system.advance(1_000);
    const closed = ledger.close();
    await system.advance(1_000);
    await closed;
    const next = openStage(folder);
    await next.ledger.open();
    expect(next.store.ids).toEqual(['a']);
  });

  test('has many rows read from the journal again, in their order and none twice', async () => {
    const { store, system, ledger, record } = openStage();
    await ledger.open();
    store.fault = 'gone';
    const ids = Array.from({ length: 40_000 }, (_, at) => `c${at}`);
    for (let at = 0; at < ids.length; at += 1_000) await record(...ids.slice(at, at + 1_000));
    expect(ledger.waiting).toBe(40_000);
    store.fault = undefined;
    await system.advance(31_000);
    await system.advance(2_000);
    expect(store.ids).toEqual(ids);
  });
});

describe('what there is no room for', () => {
  test('waits in memory where the journal cannot be written, and is dropped beyond 20,000 rows: never silently', async () => {
    const { store, system, events, ledger, record, folder } = openStage();
    await ledger.open();
    store.fault = 'gone';
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'no folder');
    for (let at = 0; at < 21; at++) await record(...Array.from({ length: 1_000 }, (_, of) => `c${at}-${of}`));
    expect(ledger).toMatchObject({ waiting: 20_000, dropped: 1_000 });
    expect(events).toContainEqual({ kind: 'journal_failed' });
    expect(events).toContainEqual({ kind: 'dropped', why: 'no_room' });
    store.fault = undefined;
    await system.advance(31_000);
    expect(store.ids).toHaveLength(20_000);
    await record('d');
    await system.advance(2_000);
    expect(store.ids.at(-1)).toBe('d');
  });

  test('is a row that the store refuses: it is put aside, and holds up no other', async () => {
    const { store, system, events, ledger, record, folder } = openStage();
    await ledger.open();
    store.refuses = 'bad';
    await record('a', 'b', 'bad', 'c');
    await system.advance(1_000);
    expect(store.ids).toEqual(['a', 'b', 'c']);
    expect(ledger).toMatchObject({ waiting: 0, written: 3, dropped: 1 });
    expect(events).toEqual([{ kind: 'dropped', why: 'refused' }]);
    expect(readdirSync(join(folder))).toEqual(['left.rows']);
  });

  test('is a row that an early version has journaled in another form: it is put aside', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, '000000000001.rows'), frameRows(['[1764500000000,"early",1]']));
    const { store, ledger } = openStage(folder);
    await ledger.open();
    expect(store.ids).toEqual([]);
    expect(ledger).toMatchObject({ waiting: 0, dropped: 1 });
    expect(readdirSync(folder)).toEqual(['left.rows']);
  });
});
