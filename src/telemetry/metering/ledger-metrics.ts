import { Counter, Gauge, type Registry } from 'prom-client';

import type { LedgerFigures } from '../../ledger/port/ledger-figures.ts';

/** Shows what of usage waits, was written, and was lost. */
export function registerLedgerMetrics(registry: Registry, figures: LedgerFigures): void {
  const gauge = (name: string, help: string, value: () => number): void => {
    const shown: Gauge = new Gauge({ name, help, registers: [registry], collect: () => shown.set(value()) });
  };
  const counter = (name: string, help: string, value: () => number): void => {
    const collect = (): void => {
      shown.reset();
      shown.inc(value());
    };
    const shown: Counter = new Counter({ name, help, registers: [registry], collect });
  };
  gauge('understudy_ledger_waiting', 'Attempts that are not yet in the store.', () => figures.waiting);
  gauge('understudy_ledger_journal_bytes', 'Size of the journal.', () => figures.journalBytes);
  counter('understudy_ledger_written_total', 'Attempts that were written to the store.', () => figures.written);
  counter('understudy_ledger_dropped_total', 'Attempts that are lost to the ledger.', () => figures.dropped);
  counter('understudy_ledger_failures_total', 'Times that the store did not take what waits.', () => figures.failures);
}
