import { expect, test } from 'vitest';
import { ResetBudget } from '../../../src/server/http2/reset-budget.ts';

function spent(calls: number) {
  const clock = { nowMs: 0 };
  const budget = new ResetBudget(() => clock.nowMs);
  for (let call = 0; call < calls; call += 1) budget.spend();
  return { clock, budget };
}

test('a connection may leave two thousand calls at once', () => {
  expect(spent(1_999).budget.ask()).toBe('ADMIT');
  expect(spent(2_000).budget.ask()).toBe('REFUSE');
});

test('it may begin another call as soon as there is room for one, and five hundred a second', () => {
  const { clock, budget } = spent(5_000);
  clock.nowMs = 1;
  expect(budget.ask()).toBe('REFUSE');
  clock.nowMs = 2;
  expect(budget.ask()).toBe('ADMIT');
  clock.nowMs = 1_000;
  for (let call = 0; call < 499; call += 1) budget.spend();
  expect(budget.ask()).toBe('ADMIT');
  budget.spend();
  expect(budget.ask()).toBe('REFUSE');
});

test('what was not left is saved up, but never beyond the burst', () => {
  const { clock, budget } = spent(2_000);
  clock.nowMs = 3_600_000;
  for (let call = 0; call < 2_000; call += 1) budget.spend();
  expect(budget.ask()).toBe('REFUSE');
});

test('who goes on where two thousand calls in a row were refused loses the connection', () => {
  const { budget, clock } = spent(2_000);
  const asked = () => Array.from({ length: 2_000 }, () => budget.ask());
  expect(new Set(asked())).toEqual(new Set(['REFUSE']));
  clock.nowMs = 2;
  expect(budget.ask()).toBe('ADMIT');
  budget.spend();
  expect(new Set(asked())).toEqual(new Set(['REFUSE']));
  expect(budget.ask()).toBe('END_CONNECTION');
});
