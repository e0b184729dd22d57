import { Counter, Gauge, type Registry } from 'prom-client';

import type { ConfigEvent } from '../../config/port/config-event.ts';
import { toSeconds } from './amounts.ts';

/** Which prices are in use. */
export interface PricesInUse {
  readonly version: string;
  /** When the newest of them was last checked, in milliseconds since the epoch. */
  readonly checkedAtMs: number;
}

/** Notes what happens to the configuration. */
export interface ConfigRecorder {
  /** @param wallMs milliseconds since the epoch */
  configHappened(event: ConfigEvent, wallMs: number): void;
  pricesHold(prices: PricesInUse): void;
}

/** Makes the metrics of the configuration and the price table. */
export function createConfigRecorder(registry: Registry): ConfigRecorder {
  const registers = [registry];
  const isSuccessful = new Gauge({
    name: 'understudy_config_last_reload_successful',
    help: '1: the configuration that was read last is in force; 0: it cannot be used, and the one before is.',
    registers,
  });
  const succeededAt = new Gauge({
    name: 'understudy_config_last_reload_success_timestamp_seconds',
    help: 'When the configuration was last read and could be used, in seconds since the epoch.',
    registers,
  });
  const reloads = new Counter({
    name: 'understudy_config_reloads_total',
    help: 'How often the configuration was read again, by what came of it.',
    labelNames: ['outcome'],
    registers,
  });
  const checkedAt = new Gauge({
    name: 'understudy_price_table_timestamp_seconds',
    help: 'When the newest price of the table, or of the prices_file where there is one, was last checked: a day, in seconds since the epoch.',
    registers,
  });
  const table = new Gauge({
    name: 'understudy_price_table_info',
    help: 'Always 1; the label says which prices are in use.',
    labelNames: ['version'],
    registers,
  });
  for (const outcome of ['changed', 'unchanged', 'refused']) reloads.inc({ outcome }, 0);
  return {
    configHappened: (event, wallMs) => {
      isSuccessful.set(event.kind === 'refused' ? 0 : 1);
      if (event.kind !== 'refused') succeededAt.set(toSeconds(wallMs));
      if (event.kind !== 'started') reloads.inc({ outcome: outcomeOf(event) });
    },
    pricesHold: ({ version, checkedAtMs }) => {
      checkedAt.set(toSeconds(checkedAtMs));
      table.reset();
      table.set({ version }, 1);
    },
  };
}

function outcomeOf(event: Exclude<ConfigEvent, { readonly kind: 'started' }>): string {
  if (event.kind === 'refused') return 'refused';
  return event.changed.length > 0 ? 'changed' : 'unchanged';
}
