/** What the ledger does, as metrics show it; counts are since start. */
export interface LedgerFigures {
  /** Rows that are not yet in the store. */
  readonly waiting: number;
  /** Bytes of the journal. */
  readonly journalBytes: number;
  readonly written: number;
  /** Rows that are lost to the ledger: there was no room for them, or the store has refused them. */
  readonly dropped: number;
  /** Times that the store did not take rows. */
  readonly failures: number;
  /** Since when the store has taken no rows, in milliseconds since the epoch; undefined where nothing is known against it. */
  readonly storeGoneSinceMs: number | undefined;
}

/** What an operator should know of the ledger. */
export type LedgerEvent =
  /** The store does not take rows; they wait. `error` is its code. */
  | { readonly kind: 'store_failed'; readonly error: string }
  | { readonly kind: 'store_back' }
  /** Rows are not in the journal: the end of this process would lose them while they wait. */
  | { readonly kind: 'journal_failed' }
  /** Rows are lost to the ledger. */
  | { readonly kind: 'dropped'; readonly why: 'no_room' | 'refused' | 'damaged' }
  /** There is no ledger although nobody has said so: its place cannot be used. `problem` says why. */
  | { readonly kind: 'off'; readonly problem: string }
  /** Rows were found that an earlier process had not brought to the store. */
  | { readonly kind: 'replayed' };
