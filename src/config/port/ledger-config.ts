/** Where usage is kept. */
export interface LedgerConfig {
  readonly store: { readonly sqlite: string } | { readonly postgres: string };
  /** Path of the folder of rows that are not yet in the store. */
  readonly journal: string;
  /** How long rows are kept, in milliseconds. Absent: for good. */
  readonly keepMs?: number | undefined;
  /** Whether the process goes on without it where it cannot be opened: nobody has asked for it. */
  readonly isOptional: boolean;
}
