import { expect, test } from 'vitest';

import { ByteBudget } from '../../../src/server/wire/byte-budget.ts';
import { memoryBytes, memoryLimitBytes } from '../../../src/telemetry/load/memory.ts';
import { createMetrics } from '../../../src/telemetry/metering/metrics.ts';
import { parseExposition } from '../exposition.ts';

test('what calls hold, and what was refused for it, is shown as it is now', async () => {
  const budget = new ByteBudget(1_000_000);
  const metrics = createMetrics({ transfers: budget, processMetrics: false });
  const shown = async (name: string) => {
    const { samples } = parseExposition((await metrics.render([])).body);
    return samples
      .filter((sample) => sample.name === name)
      .map(({ labels, value }) => Object.values<unknown>(labels).concat(value));
  };
  const held = budget.open('another');
  held.take(1_000);
  held.answer(70);
  budget.refused.message_shape += 2;
  expect(await shown('understudy_bytes_in_flight')).toEqual([
    ['requests', 1_000],
    ['answers', 70],
  ]);
  expect(await shown('understudy_bytes_in_flight_limit')).toEqual([[1_000_000]]);
  expect(await shown('understudy_transfers_refused_total')).toContainEqual(['message_shape', 2]);
  held.release();
  budget.refused.message_shape += 1;
  expect(await shown('understudy_bytes_in_flight')).toEqual([
    ['requests', 0],
    ['answers', 0],
  ]);
  expect(await shown('understudy_transfers_refused_total')).toContainEqual(['message_shape', 3]);
});

test('the memory of the process is some of what it may take', () => {
  expect(memoryBytes()).toBeGreaterThan(10_000_000);
  expect(memoryBytes()).toBeLessThan(memoryLimitBytes());
});
