import type { System } from '../core/ports.ts';
import { isRow, RowEncoder, wholeRows } from './journal/row-encoder.ts';
import { readRowsFile } from './journal/framed-rows.ts';
import type { Journal } from './journal/journal.ts';
import type { LedgerEvent, LedgerFigures } from './port/ledger-figures.ts';
import type { UsageRecord, UsageSink } from './port/usage-record.ts';
import { StoreError, type UsageStore, type WrittenFile } from './store/usage-store.ts';
import { type Batch, BATCH_ROWS, WaitingRows } from './waiting-rows.ts';

/** How long a row waits for others before it goes to the store, in milliseconds. */
const BATCH_MS = 1_000;
/** How long a store that has failed is left alone: doubled each time, up to the last. In milliseconds. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
/** How long the last batches may take when the process goes down; what is left is in the journal. In milliseconds. */
const CLOSE_MS = 1_000;

/** What a ledger is made of. */
export interface LedgerParts {
  readonly store: UsageStore;
  readonly journal: Journal;
  readonly system: System;
  /** Hears what an operator should know. */
  readonly happened: (event: LedgerEvent) => void;
}

/**
 * Records usage: to the journal in the turn in which it is told, before the answer of that call goes out, and from there to the store in
 * batches. A store that is gone holds up nobody.
 */
export class UsageLedger implements UsageSink, LedgerFigures {
  readonly #parts: LedgerParts;
  readonly #waiting: WaitingRows;
  readonly #encoder = new RowEncoder();
  /** What makes the records of calls that have ended in this turn. */
  #turn: (() => readonly UsageRecord[])[] = [];
  #written = 0;
  #dropped = 0;
  #failures = 0;
  /** How long the store is left alone; 0 while it takes rows. */
  #pauseMs = 0;
  #storeGoneSinceMs: number | undefined;
  #timer: object | number | undefined;
  #writing: Promise<void> | undefined;
  #isClosed = false;

  constructor(parts: LedgerParts) {
    this.#parts = parts;
    this.#waiting = new WaitingRows(parts.journal);
  }

  get waiting(): number {
    return this.#waiting.count + this.#turn.length;
  }

  get journalBytes(): number {
    return this.#parts.journal.bytes;
  }

  get written(): number {
    return this.#written;
  }

  get dropped(): number {
    return this.#dropped;
  }

  get failures(): number {
    return this.#failures;
  }

  get storeGoneSinceMs(): number | undefined {
    return this.#storeGoneSinceMs;
  }

  /**
   * Opens the store and brings it what an earlier process has left in the journal.
   *
   * @returns whether it has all of that; false: the store is gone for now
   * @throws StoreError where the configuration is to blame
   */
  async open(): Promise<boolean> {
    try {
      await this.#parts.store.open();
    } catch (error) {
      if (error instanceof StoreError && error.fault === 'settings') throw error;
      this.#failed(error);
      this.#arm();
      return false;
    }
    if (this.#waiting.hasBatches) this.#parts.happened({ kind: 'replayed' });
    await this.#writeAll();
    return !this.#waiting.hasBatches;
  }

  /** One write for all of the calls that end together: their records are made one behind the other, and they are answered after that. */
  record(recordsOf: () => readonly UsageRecord[]): void {
    if (this.#turn.length === 0) queueMicrotask(() => this.#endTurn());
    this.#turn.push(recordsOf);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#endTurn();
    this.#isClosed = true;
    this.#clearTimer();
    this.#waiting.close();
    const { system, store } = this.#parts;
    const writeLast = async (): Promise<void> => {
      await this.#writing;
      await this.#writeAll();
      await store.close();
    };
    await new Promise<void>((resolve) => {
      const timer = system.setTimer(CLOSE_MS, resolve);
      void writeLast().finally(() => {
        system.clearTimer(timer);
        resolve();
      });
    });
  }

  #endTurn(): void {
    const turn = this.#turn;
    this.#turn = [];
    const rows: string[] = [];
    for (const recordsOf of turn) {
      try {
        for (const record of recordsOf()) rows.push(this.#encoder.encode(record, rows.length > 0));
      } catch (error) {
        // A fault that nobody has caught spoils no other call.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
    if (rows.length === 0) return;
    const where = this.#waiting.add(rows);
    if (where === 'none') return this.#lost(rows.length, 'no_room');
    if (where === 'memory') this.#parts.happened({ kind: 'journal_failed' });
    if (this.#waiting.open >= BATCH_ROWS) {
      this.#waiting.close();
      if (this.#pauseMs === 0) void this.#writeAll();
    }
    this.#arm();
  }

  /** Has the next batch closed and written after a while, unless that is planned or under way. */
  #arm(): void {
    if (this.#timer !== undefined || this.#writing !== undefined || this.#isClosed) return;
    if (this.#pauseMs === 0 && this.#waiting.open === 0 && !this.#waiting.hasBatches) return;
    this.#timer = this.#parts.system.setIdleTimer(this.#pauseMs === 0 ? BATCH_MS : this.#pauseMs, () => {
      this.#timer = undefined;
      // While older ones wait for the store, batches become as large as they may.
      if (!this.#waiting.hasBatches) this.#waiting.close();
      void this.#writeAll();
    });
  }

  #clearTimer(): void {
    if (this.#timer !== undefined) this.#parts.system.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  #writeAll(): Promise<void> {
    this.#writing ??= this.#writeBatches().finally(() => {
      this.#writing = undefined;
      this.#arm();
    });
    return this.#writing;
  }

  async #writeBatches(): Promise<void> {
    try {
      // Where no row waits, nothing else would show that a store that was gone at the start is back.
      if (this.#pauseMs > 0 && !this.#waiting.hasBatches && !this.#isClosed) {
        await this.#parts.store.open();
        this.#worked();
      }
      for (let batch = this.#waiting.oldest; batch !== undefined; batch = this.#waiting.oldest) {
        const { rows, damaged } = await this.#writeBatch(batch);
        if (damaged.length > 0) this.#parts.journal.putAside(damaged);
        // A file that is gone, or the end of one, has no damaged rows.
        const lost = Math.max(damaged.length, batch.count - rows);
        if (lost > 0) this.#lost(lost, 'damaged');
        this.#waiting.done();
        this.#worked();
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Writes a batch, and returns what came of it. A store that reads files of the journal itself takes no other way. */
  async #writeBatch({ segment, rows }: Batch): Promise<WrittenFile> {
    const { store } = this.#parts;
    if (segment === undefined) {
      await this.#write(rows);
      return { rows: rows.length, damaged: [] };
    }
    try {
      const file = await store.writeFile?.(segment.path);
      this.#written += file?.rows ?? 0;
      if (file !== undefined) return file;
    } catch (error) {
      if (!(error instanceof StoreError) || error.fault !== 'rows') throw error;
    }
    const read = readRowsFile(segment.path);
    await this.#write(wholeRows(read.rows));
    return { rows: read.rows.length, damaged: read.damaged };
  }

  async #write(rows: readonly string[]): Promise<void> {
    if (rows.length === 0) return;
    try {
      if (!rows.every(isRow)) throw new StoreError('of an early version', 'rows');
      await this.#parts.store.write(rows);
      this.#written += rows.length;
    } catch (error) {
      if (!(error instanceof StoreError) || error.fault !== 'rows') throw error;
      if (rows.length > 1) {
        // One row must not hold up the others.
        const half = Math.ceil(rows.length / 2);
        await this.#write(rows.slice(0, half));
        await this.#write(rows.slice(half));
        return;
      }
      this.#parts.journal.putAside(rows);
      this.#lost(1, 'refused');
    }
  }

  #worked(): void {
    if (this.#pauseMs > 0) this.#parts.happened({ kind: 'store_back' });
    this.#pauseMs = 0;
    this.#storeGoneSinceMs = undefined;
  }

  #failed(error: unknown): void {
    this.#failures += 1;
    this.#storeGoneSinceMs ??= this.#parts.system.wall();
    this.#pauseMs = Math.min(Math.max(this.#pauseMs * 2, FIRST_PAUSE_MS), LONGEST_PAUSE_MS);
    this.#parts.happened({ kind: 'store_failed', error: error instanceof StoreError ? error.message : 'failed' });
  }

  #lost(count: number, why: 'no_room' | 'refused' | 'damaged'): void {
    this.#dropped += count;
    this.#parts.happened({ kind: 'dropped', why });
  }
}
