import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';

import { createTalliedCounter } from '../../src/telemetry/tally.ts';

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
