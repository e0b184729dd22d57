import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

import type { LimitStoreFigures } from '../../callers/port/limit-store-figures.ts';

/** Shows how the store of limits does that gateways share. */
export function registerLimitStore(registry: Registry, figures: LimitStoreFigures): void {
  const registers = [registry];
  const up: Gauge = new Gauge({
    name: 'understudy_limit_store_up',
    help: '1: the store of limits answers; 0: it does not, and is looked at once a second.',
    registers,
    collect: () => up.set(figures.isUp ? 1 : 0),
  });
  const timeouts: Counter = new Counter({
    name: 'understudy_limit_store_timeouts_total',
    help: 'Questions that the store of limits did not answer in time.',
    registers,
    collect: () => {
      timeouts.reset();
      timeouts.inc(figures.timeouts);
    },
  });
  const without: Counter<'outcome'> = new Counter({
    name: 'understudy_limit_store_bypassed_total',
    help: 'Questions that were answered without the store of limits, by what became of them.',
    labelNames: ['outcome'],
    registers,
    collect: () => {
      without.reset();
      for (const [outcome, count] of Object.entries(figures.withoutStore)) without.inc({ outcome }, count);
    },
  });
  const took = new Histogram({
    name: 'understudy_limit_store_duration_seconds',
    help: 'How long the store of limits took to answer the questions of one turn.',
    buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5],
    registers,
  });
  figures.onAnswer((ms) => took.observe(ms / 1_000));
}
