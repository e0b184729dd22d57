import type { LedgerEvent } from '../../ledger/port/ledger-figures.ts';
import type { LogLevel } from './log-fields.ts';

/** What the log says of the ledger. */
export interface LedgerLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Whether it may come again and again, so that it is told once a minute. */
  readonly isAlert: boolean;
}

const LOST = {
  no_room: 'usage is lost to the ledger: the store takes none, and there is no room for more that waits',
  refused: 'usage is lost to the ledger: the store refuses rows, which are in left.rows of the journal',
  damaged: 'usage is lost to the ledger: lines of the journal are damaged, and are in its left.rows',
} as const;

/** Builds the line of an event. */
export function ledgerLine(event: LedgerEvent): LedgerLine {
  switch (event.kind) {
    case 'store_failed': {
      const fields = { 'understudy.ledger.error': event.error };
      return { level: 'warn', message: 'the store of the ledger takes nothing: usage waits', fields, isAlert: true };
    }
    case 'store_back':
      return info('the store of the ledger takes usage again');
    case 'journal_failed': {
      const message = 'the journal of the ledger cannot be written: usage waits in memory alone';
      return { level: 'warn', message, fields: {}, isAlert: true };
    }
    case 'dropped':
      return { level: 'error', message: LOST[event.why], fields: {}, isAlert: true };
    case 'off': {
      const message = `usage is not recorded: ${event.problem}`;
      return { level: 'warn', message, fields: {}, isAlert: false };
    }
    case 'replayed':
      return info('usage that the last process has left in the journal goes to the store');
  }
}

function info(message: string): LedgerLine {
  return { level: 'info', message, fields: {}, isAlert: false };
}
