import { expect, test } from 'vitest';
import { ResetBudget } from '../../../src/server/http2/reset-budget.ts';

function spent(calls: number) {
  const clock = { nowMs: 0 };
  const budget = new ResetBudget(() => clock.nowMs);
  for (let call = 0; call < calls; call += 1) budget.spend();
  return { clock, budget };
}

test('a connection may leave two thousand calls at once', () => {
  expect(spent(1_999).budget.isUsedUp).toBe(false);
  expect(spent(2_000).budget.isUsedUp).toBe(true);
});

test('it may begin another call as soon as there is room for one, and five hundred a second', () => {
  const { clock, budget } = spent(5_000);
  clock.nowMs = 1;
  expect(budget.isUsedUp).toBe(true);
  clock.nowMs = 2;
  expect(budget.isUsedUp).toBe(false);
  clock.nowMs = 1_000;
  for (let call = 0; call < 499; call += 1) budget.spend();
  expect(budget.isUsedUp).toBe(false);
  budget.spend();
  expect(budget.isUsedUp).toBe(true);
});

test('what was not left is saved up, but never beyond the burst', () => {
  const { clock, budget } = spent(2_000);
  clock.nowMs = 3_600_000;
  for (let call = 0; call < 2_000; call += 1) budget.spend();
  expect(budget.isUsedUp).toBe(true);
});
