import { Counter, type Registry } from 'prom-client';

import type { ExportFigures } from '../report/export-figures.ts';

/** Shows what becomes of exports by OTLP. */
export function registerExportMetrics(registry: Registry, figures: ExportFigures): void {
  const exports: Counter<'signal' | 'outcome'> = new Counter({
    name: 'understudy_otlp_exports_total',
    help: 'Exports by OTLP, repeats of one not counted.',
    labelNames: ['signal', 'outcome'],
    registers: [registry],
    collect: () => {
      exports.reset();
      for (const [signal, { ok, failed }] of Object.entries(figures.exports)) {
        exports.inc({ signal, outcome: 'ok' }, ok);
        exports.inc({ signal, outcome: 'failed' }, failed);
      }
    },
  });
  const lost: Counter = new Counter({
    name: 'understudy_otlp_spans_lost_total',
    help: 'Spans that were not exported: there was no room for more that wait, or their export failed.',
    registers: [registry],
    collect: () => {
      lost.reset();
      lost.inc(figures.spansLost);
    },
  });
}
