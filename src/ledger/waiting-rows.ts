import type { Journal, JournalSegment } from './journal/journal.ts';
import { wholeRows } from './journal/row-encoder.ts';

/** Rows that go to the store together, and rows that are held in memory where the journal cannot be written. */
export const BATCH_ROWS = 5_000;
const ROWS_IN_MEMORY = 20_000;
/** Largest journal, in bytes: about 800,000 rows. */
const JOURNAL_BYTES = 256 * 1024 * 1024;

/** Some rows on their way. */
export interface Batch {
  /** The file of the journal that they are in; undefined: they are in memory alone. */
  readonly segment: JournalSegment | undefined;
  /** Those that are in memory alone. */
  readonly rows: string[];
  /** How many; of what an earlier process has left 0. */
  count: number;
}

/**
 * The rows that are not yet in the store, in the order in which they came. What is in the journal stays there until it is in the store:
 * where there is no room for more, new rows are refused (`docs/adr/0029-journal-and-stores-of-the-ledger.md`).
 */
export class WaitingRows {
  readonly #journal: Journal;
  readonly #batches: Batch[];
  #tail: Batch | undefined;
  #inMemory = 0;
  #count = 0;

  constructor(journal: Journal) {
    this.#journal = journal;
    this.#batches = journal.left().map((segment) => ({ segment, rows: [], count: 0 }));
  }

  /** Rows that wait, but for those that an earlier process has left. */
  get count(): number {
    return this.#count;
  }

  /** Rows that came since the last batch was closed. */
  get open(): number {
    return this.#tail?.count ?? 0;
  }

  /** Whether batches wait for the store. */
  get hasBatches(): boolean {
    return this.#batches.length > 0;
  }

  /** Takes rows that were written together; `none` where there is no room for them, `memory` where they are not in the journal. */
  add(rows: readonly string[]): 'journal' | 'memory' | 'none' {
    const segment = this.#journal.bytes < JOURNAL_BYTES ? this.#journal.append(rows) : undefined;
    if (segment === undefined && this.#inMemory + rows.length > ROWS_IN_MEMORY) return 'none';
    // The file that they are in stays open for more; the one before it is sealed already.
    if (this.#tail !== undefined && this.#tail.segment !== segment) {
      if (segment === undefined) this.close();
      else this.#end();
    }
    this.#tail ??= { segment, rows: [], count: 0 };
    if (segment === undefined) {
      this.#tail.rows.push(...wholeRows(rows));
      this.#inMemory += rows.length;
    }
    this.#tail.count += rows.length;
    this.#count += rows.length;
    return segment === undefined ? 'memory' : 'journal';
  }

  /** Closes the batch that rows are added to. */
  close(): void {
    if (this.#tail === undefined) return;
    this.#journal.seal();
    this.#end();
  }

  #end(): void {
    if (this.#tail !== undefined) this.#batches.push(this.#tail);
    this.#tail = undefined;
  }

  /** The oldest batch; undefined where none waits for the store. */
  get oldest(): Batch | undefined {
    return this.#batches[0];
  }

  /** Forgets the oldest batch: its rows are in the store. */
  done(): void {
    const batch = this.#batches.shift();
    if (batch === undefined) return;
    this.#count -= batch.count;
    this.#inMemory -= batch.rows.length;
    if (batch.segment !== undefined) this.#journal.remove(batch.segment);
  }
}
