import { Histogram, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';

import { MetricFamilies } from '../../../src/telemetry/metering/metric-families.ts';
import { addReadGauge, createTalliedCounter, createTalliedHistogram } from '../../../src/telemetry/metering/tally.ts';

const AT_ONCE = () => Promise.resolve();

function counterOfCups() {
  const families = new MetricFamilies();
  const cups = createTalliedCounter(families, { name: 'cups', help: 'Cups.', labelNames: ['of'] });
  const shown = async () => (await families.write(AT_ONCE)).split('\n').filter((line) => line.startsWith('cups{'));
  return { ...cups, shown };
}

describe('a tallied counter', () => {
  it('shows a series from when it is opened', async () => {
    const cups = counterOfCups();
    cups.open({ of: 'tea' });
    expect(await cups.shown()).toEqual(['cups{of="tea"} 0']);
  });

  it('shows what was counted once, however often it is asked', async () => {
    const cups = counterOfCups();
    const tea = cups.open({ of: 'tea' });
    tea(2);
    expect(await cups.shown()).toEqual(['cups{of="tea"} 2']);
    expect(await cups.shown()).toEqual(['cups{of="tea"} 2']);
    tea(1);
    expect(await cups.shown()).toEqual(['cups{of="tea"} 3']);
  });

  it('keeps series apart, and has one for the same labels', async () => {
    const cups = counterOfCups();
    cups.open({ of: 'tea' })(1);
    cups.open({ of: 'milk' })(4);
    cups.open({ of: 'tea' })(2);
    expect(await cups.shown()).toEqual(['cups{of="tea"} 3', 'cups{of="milk"} 4']);
  });
});

describe('a tallied histogram', () => {
  const config = { name: 'heat', help: 'Heat of a cup.', labelNames: ['of'], buckets: [0.5, 1, 20] } as const;

  it('shows what prom-client shows of the same values', async () => {
    const ours = new MetricFamilies();
    const theirs = new Registry();
    const open = createTalliedHistogram(ours, config);
    const histogram = new Histogram({ ...config, buckets: [...config.buckets], registers: [theirs] });
    for (const of of ['tea', 'milk', 'a "quoted" \\ cup\nof']) {
      const tally = open.open({ of });
      for (const value of [0, 0.5, 0.51, 1, 7, 20, 20.5, 1e9]) {
        tally(value);
        histogram.observe({ of }, value);
      }
    }
    const written = await ours.write(AT_ONCE);
    expect(written.trimStart()).toBe(await theirs.metrics());
    expect(written).toContain('heat_bucket{le="20",of="milk"} 6');
  });

  it('shows no series without a value', async () => {
    const families = new MetricFamilies();
    createTalliedHistogram(families, config).open({ of: 'tea' });
    expect((await families.write(AT_ONCE)).trimStart()).toBe('# HELP heat Heat of a cup.\n# TYPE heat histogram\n');
  });
});

it('writes thousands of lines with pauses in which others have their turn, and each of them once', async () => {
  const families = new MetricFamilies();
  const names = Array.from({ length: 2_000 }, (_, index) => `cup-${index}`);
  const heat = createTalliedHistogram(families, { name: 'heat', help: 'Heat.', labelNames: ['of'], buckets: [1] });
  for (const of of names) heat.open({ of })(0);
  addReadGauge(families, { name: 'full', help: 'Full.', labelNames: ['of'] }, () =>
    names.map((of) => [{ of }, 1] as const),
  );
  let pauses = 0;
  const text = await families.write(() => {
    pauses += 1;
    return Promise.resolve();
  });
  expect(text.match(/^full\{/gm)).toHaveLength(2_000);
  expect(text.match(/^heat_bucket\{/gm)).toHaveLength(4_000);
  expect(pauses).toBeGreaterThan(10);
});
