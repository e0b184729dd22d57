import { expect, test } from 'vitest';

import type { ConfigEvent } from '../../../src/config/port/config-event.ts';
import { createMetrics } from '../../../src/telemetry/metering/metrics.ts';
import { parseExposition } from '../exposition.ts';

const CHANGED: ConfigEvent = { kind: 'read', changed: ['target a added'], needRestart: [], warnings: [] };

test('the last good reload is shown with its time, and whether the last one was good', async () => {
  const metrics = createMetrics({ processMetrics: false });
  const shown = async (): Promise<readonly number[]> => {
    const { samples } = parseExposition((await metrics.render([])).body);
    const names = ['successful', 'success_timestamp_seconds'].map((name) => `understudy_config_last_reload_${name}`);
    return names.map((name) => samples.find((sample) => sample.name === name)?.value ?? NaN);
  };
  metrics.configHappened({ kind: 'started' }, 1_000);
  expect(await shown()).toEqual([1, 1]);
  metrics.configHappened({ kind: 'refused', problems: ['x'] }, 2_000);
  expect(await shown()).toEqual([0, 1]);
  metrics.configHappened(CHANGED, 3_000);
  metrics.configHappened({ ...CHANGED, changed: [] }, 4_000);
  expect(await shown()).toEqual([1, 4]);
  const { samples } = parseExposition((await metrics.render([])).body);
  const reloads = samples.filter(({ name }) => name === 'understudy_config_reloads_total');
  expect(reloads.map(({ labels, value }) => [labels['outcome'], value])).toEqual([
    ['changed', 1],
    ['unchanged', 1],
    ['refused', 1],
  ]);
});

test('the prices in use are shown with their age, and those before them no more', async () => {
  const metrics = createMetrics({ processMetrics: false });
  metrics.pricesHold({ version: 'one', checkedAtMs: 1_000 });
  metrics.pricesHold({ version: 'two', checkedAtMs: 86_400_000 });
  const { samples } = parseExposition((await metrics.render([])).body);
  const shown = samples.filter(({ name }) => name.startsWith('understudy_price_table'));
  expect(shown.map(({ name, labels, value }) => [name, labels['version'], value])).toEqual([
    ['understudy_price_table_timestamp_seconds', undefined, 86_400],
    ['understudy_price_table_info', 'two', 1],
  ]);
});
