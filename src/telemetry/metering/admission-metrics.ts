import { Counter, Gauge, type Registry } from 'prom-client';

import type { EngineLoad } from '../../engine/port/engine-load.ts';

const GAUGES: readonly (readonly [name: string, help: string, value: (load: EngineLoad) => number])[] = [
  ['understudy_admission_active', 'Requests under way in the engine.', ({ active }) => active],
  ['understudy_admission_max_active', 'Requests that may be under way.', ({ maxActive }) => maxActive],
  ['understudy_admission_queued', 'Requests that wait for a slot.', ({ queued }) => queued],
  ['understudy_admission_max_queued', 'Requests that may wait for a slot.', ({ maxQueued }) => maxQueued],
];

/** Makes the metrics of admission, as they are at the moment of the scrape; without a load they show nothing. */
export function registerAdmissionMetrics(registry: Registry, load: () => EngineLoad | undefined): void {
  for (const [name, help, value] of GAUGES) {
    const gauge = new Gauge({
      name,
      help,
      registers: [],
      collect() {
        const now = load();
        if (now !== undefined) this.set(value(now));
      },
    });
    registry.registerMetric(gauge);
  }
  const refused = new Counter({
    name: 'understudy_admission_refused_total',
    help: 'Requests that were refused as OVERLOADED before they were begun, by cause.',
    labelNames: ['cause'],
    registers: [],
    collect() {
      this.reset();
      for (const [cause, count] of Object.entries(load()?.refused ?? {})) this.inc({ cause }, count);
    },
  });
  registry.registerMetric(refused);
}
