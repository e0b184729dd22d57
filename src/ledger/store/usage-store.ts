/** What a store gives back for a column; 64-bit integers are `bigint`, in SQLite all integers are. */
export type StoredValue = string | number | bigint | boolean | null | Readonly<Record<string, unknown>>;

/** A row of an answer, by the names of its columns. */
export type StoredRow = Readonly<Record<string, StoredValue>>;

/** What came of a file of the journal. */
export interface WrittenFile {
  /** How many rows of it could be read. */
  readonly rows: number;
  readonly damaged: readonly string[];
}

/** Keeps rows of usage for good. All of its methods reject with {@link StoreError} where the store is gone. */
export interface UsageStore {
  readonly dialect: 'sqlite' | 'postgres';
  /** Opens it and brings its schema up to date; opening it again does nothing. */
  open(): Promise<void>;
  /** Writes rows as the journal has them (`RowEncoder`); those that are there already are passed over. Resolves when they are safe. */
  write(rows: readonly string[]): Promise<void>;
  /** Writes the rows of a file of the journal, all of them or none, and returns those that are damaged. Absent: it reads no files. */
  readonly writeFile?: ((path: string) => Promise<WrittenFile>) | undefined;
  /** Asks in the store's own SQL, with `?` in SQLite and `$1` in PostgreSQL for each value. */
  read(sql: string, values: readonly (string | number | bigint | null)[]): Promise<readonly StoredRow[]>;
  /** Deletes rows that began before a time, as far as that is one small step; returns whether there may be more. */
  prune(beforeMs: number): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Whose fault it is: the rows', so that the same ones will fail again; the configuration's, such as a file that may not be written; or
 * nobody's here, so that the same may work later.
 */
export type StoreFault = 'rows' | 'settings' | 'gone';

/** Why a store did not do what it was asked to. Its message is the store's code or fixed text, never a value or an address. */
export class StoreError extends Error {
  readonly fault: StoreFault;

  constructor(code: string, fault: StoreFault = 'gone') {
    super(code);
    this.name = 'StoreError';
    this.fault = fault;
  }
}
