import type { Journal, JournalSegment } from './journal/journal.ts';

/** Rows that go to the store together, and rows that are held in memory meanwhile; beyond it they are read from the journal again. */
export const BATCH_ROWS = 5_000;
const ROWS_IN_MEMORY = 20_000;
/** Largest journal, in bytes: about 800,000 rows. */
const JOURNAL_BYTES = 256 * 1024 * 1024;

/** Some rows on their way: in the journal, in memory, or both. */
interface Batch {
  readonly segment: JournalSegment | undefined;
  /** Absent: in the journal alone. */
  rows: readonly string[] | undefined;
  /** How many; of what an earlier process has left that is not known until it is read. */
  count: number;
}

/**
 * The rows that are not yet in the store, in the order in which they came. What is in the journal stays there until it is in the store:
 * where there is no room for more, new rows are refused (`docs/adr/0029-journal-and-stores-of-the-ledger.md`).
 */
export class WaitingRows {
  readonly #journal: Journal;
  readonly #batches: Batch[];
  #tail: { segment: JournalSegment | undefined; readonly rows: string[] } | undefined;
  #inMemory = 0;
  #count = 0;

  constructor(journal: Journal) {
    this.#journal = journal;
    this.#batches = journal.left().map((segment) => ({ segment, rows: undefined, count: 0 }));
  }

  /** Rows that wait; those that an earlier process has left count once they are read. */
  get count(): number {
    return this.#count;
  }

  /** Rows that came since the last batch was closed. */
  get open(): number {
    return this.#tail?.rows.length ?? 0;
  }

  /** Whether batches wait for the store. */
  get hasBatches(): boolean {
    return this.#batches.length > 0;
  }

  /** Takes rows; `none` where there is no room for them, `memory` where they are not in the journal. */
  add(rows: readonly string[]): 'journal' | 'memory' | 'none' {
    const segment = this.#journal.bytes < JOURNAL_BYTES ? this.#journal.append(rows) : undefined;
    if (segment === undefined && this.#inMemory + rows.length > ROWS_IN_MEMORY) return 'none';
    if (this.#tail !== undefined && this.#tail.segment !== segment) this.close();
    this.#tail ??= { segment, rows: [] };
    this.#tail.rows.push(...rows);
    this.#inMemory += rows.length;
    this.#count += rows.length;
    return segment === undefined ? 'memory' : 'journal';
  }

  /** Closes the batch that rows are added to. */
  close(): void {
    const tail = this.#tail;
    if (tail === undefined) return;
    this.#tail = undefined;
    this.#journal.seal();
    const isHeld = tail.segment === undefined || this.#inMemory <= ROWS_IN_MEMORY;
    if (!isHeld) this.#inMemory -= tail.rows.length;
    this.#batches.push({ segment: tail.segment, rows: isHeld ? tail.rows : undefined, count: tail.rows.length });
  }

  /** Returns the rows of the oldest batch, and how many of its lines were damaged. */
  oldest(): { readonly rows: readonly string[]; readonly damaged: number } {
    const [batch] = this.#batches;
    if (batch?.rows !== undefined) return { rows: batch.rows, damaged: 0 };
    if (batch?.segment === undefined) return { rows: [], damaged: 0 };
    const { rows, damaged } = this.#journal.read(batch.segment);
    this.#count += rows.length - batch.count;
    batch.count = rows.length;
    batch.rows = rows;
    this.#inMemory += rows.length;
    return { rows, damaged };
  }

  /** Forgets the oldest batch: its rows are in the store. */
  done(): void {
    const batch = this.#batches.shift();
    if (batch === undefined) return;
    this.#count -= batch.count;
    if (batch.rows !== undefined) this.#inMemory -= batch.rows.length;
    if (batch.segment !== undefined) this.#journal.remove(batch.segment);
  }
}
