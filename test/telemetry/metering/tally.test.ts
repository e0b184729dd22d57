import { Histogram, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';

import { createTalliedCounter, createTalliedHistogram } from '../../../src/telemetry/metering/tally.ts';

function counterOfCups() {
  const registry = new Registry();
  const cups = createTalliedCounter({ name: 'cups', help: 'Cups.', labelNames: ['of'], registers: [registry] });
  const shown = async () => (await registry.metrics()).split('\n').filter((line) => line.startsWith('cups{'));
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

  it('keeps series apart and counts without a tally beside them', async () => {
    const cups = counterOfCups();
    cups.open({ of: 'tea' })(1);
    cups.open({ of: 'milk' })(4);
    cups.counter.inc({ of: 'water' });
    expect((await cups.shown()).toSorted()).toEqual(['cups{of="milk"} 4', 'cups{of="tea"} 1', 'cups{of="water"} 1']);
  });
});

describe('a tallied histogram', () => {
  const config = { name: 'heat', help: 'Heat of a cup.', labelNames: ['of'], buckets: [0.5, 1, 20] } as const;

  it('shows what prom-client shows of the same values', async () => {
    const ours = new Registry();
    const theirs = new Registry();
    const open = createTalliedHistogram({ ...config, registers: [ours] });
    const histogram = new Histogram({ ...config, buckets: [...config.buckets], registers: [theirs] });
    for (const of of ['tea', 'milk']) {
      const tally = open.open({ of });
      for (const value of [0, 0.5, 0.51, 1, 7, 20, 20.5, 1e9]) {
        tally(value);
        histogram.observe({ of }, value);
      }
    }
    expect(await ours.metrics()).toBe(await theirs.metrics());
    expect(await ours.metrics()).toContain('heat_bucket{le="20",of="milk"} 6');
  });

  it('shows no series without a value', async () => {
    const registry = new Registry();
    createTalliedHistogram({ ...config, registers: [registry] }).open({ of: 'tea' });
    expect(await registry.metrics()).toBe('# HELP heat Heat of a cup.\n# TYPE heat histogram\n');
  });
});
