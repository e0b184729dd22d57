import { Histogram, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';

import { createTalliedCounter, createTalliedHistogram, readGauge } from '../../../src/telemetry/metering/tally.ts';
import { openMetricsText } from '../../../src/telemetry/exposition/open-metrics.ts';
import { readRegistry } from '../../../src/telemetry/exposition/read-registry.ts';
import { writeMetrics } from '../../../src/telemetry/exposition/written-metrics.ts';

/** What is written of a registry, which is what prom-client writes of it. */
async function textOf(registry: Registry): Promise<string> {
  const pause = (): Promise<void> => Promise.resolve();
  const text = await writeMetrics(registry, false, pause);
  expect(text).toBe(await registry.metrics());
  expect(await writeMetrics(registry, true, pause)).toBe(openMetricsText(await readRegistry(registry)));
  return text;
}

function counterOfCups() {
  const registry = new Registry();
  const cups = createTalliedCounter({ name: 'cups_total', help: 'Cups.', labelNames: ['of'], registers: [registry] });
  const shown = async () => (await textOf(registry)).split('\n').filter((line) => line.startsWith('cups_total{'));
  return { ...cups, shown };
}

describe('a tallied counter', () => {
  it('shows a series from when it is opened', async () => {
    const cups = counterOfCups();
    cups.open({ of: 'tea' });
    expect(await cups.shown()).toEqual(['cups_total{of="tea"} 0']);
  });

  it('shows what was counted once, however often it is asked', async () => {
    const cups = counterOfCups();
    const tea = cups.open({ of: 'tea' });
    tea(2);
    expect(await cups.shown()).toEqual(['cups_total{of="tea"} 2']);
    expect(await cups.shown()).toEqual(['cups_total{of="tea"} 2']);
    tea(1);
    expect(await cups.shown()).toEqual(['cups_total{of="tea"} 3']);
  });

  it('keeps series apart, and has one for the same labels', async () => {
    const cups = counterOfCups();
    cups.open({ of: 'tea' })(1);
    cups.open({ of: 'milk' })(4);
    cups.open({ of: 'tea' })(2);
    expect(await cups.shown()).toEqual(['cups_total{of="tea"} 3', 'cups_total{of="milk"} 4']);
  });
});

describe('a tallied histogram', () => {
  const config = { name: 'heat', help: 'Heat of a cup.', labelNames: ['of'], buckets: [0.5, 1, 20] } as const;

  it('shows what prom-client shows of the same values', async () => {
    const ours = new Registry();
    const theirs = new Registry();
    const open = createTalliedHistogram({ ...config, registers: [ours] });
    const histogram = new Histogram({ ...config, buckets: [...config.buckets], registers: [theirs] });
    for (const of of ['tea', 'milk', 'a "quoted" \\ cup\nof']) {
      const tally = open.open({ of });
      for (const value of [0, 0.5, 0.51, 1, 7, 20, 20.5, 1e9]) {
        tally(value);
        histogram.observe({ of }, value);
      }
    }
    const written = await textOf(ours);
    expect(written).toBe(await theirs.metrics());
    expect(written).toContain('heat_bucket{le="20",of="milk"} 6');
  });

  it('shows no series without a value', async () => {
    const registry = new Registry();
    createTalliedHistogram({ ...config, registers: [registry] }).open({ of: 'tea' });
    expect(await textOf(registry)).toBe('# HELP heat Heat of a cup.\n# TYPE heat histogram\n');
  });
});

it('thousands of lines are written with pauses in which others have their turn, and each of them once', async () => {
  const registry = new Registry();
  const registers = [registry];
  const names = Array.from({ length: 2_000 }, (_, index) => `cup-${index}`);
  const config = { name: 'heat', help: 'Heat.', labelNames: ['of'] as const, buckets: [1], registers };
  const heat = createTalliedHistogram(config);
  for (const of of names) heat.open({ of })(0);
  readGauge({ name: 'full', help: 'Full.', labelNames: ['of'], registers }, () =>
    names.map((of) => [{ of }, 1] as const),
  );
  let pauses = 0;
  const text = await writeMetrics(registry, false, () => {
    pauses += 1;
    return Promise.resolve();
  });
  expect(text).toBe(await registry.metrics());
  expect(text.match(/^full\{/gm)).toHaveLength(2_000);
  expect(pauses).toBeGreaterThan(10);
});
