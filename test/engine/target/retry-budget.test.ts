import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { BudgetRates } from '../../../src/engine/target/retry-budget.ts';
import { REPEAT_RATES, RESTART_RATES, RetryBudget } from '../../../src/engine/target/retry-budget.ts';

function taken(budget: RetryBudget): number {
  let units = 0;
  while (budget.take()) units++;
  return units;
}

describe('a retry budget', () => {
  it('begins full: ten repeats, five restarts', () => {
    expect(taken(new RetryBudget(() => 0, REPEAT_RATES))).toBe(10);
    expect(taken(new RetryBudget(() => 0, RESTART_RATES))).toBe(5);
  });

  it('has one repeat more for every five visits, and one for every two seconds', () => {
    let nowMs = 0;
    const budget = new RetryBudget(() => nowMs, REPEAT_RATES);
    taken(budget);
    for (let visit = 0; visit < 4; visit++) budget.visited();
    expect(budget.isEmpty).toBe(true);
    budget.visited();
    expect(taken(budget)).toBe(1);
    nowMs += 1_999;
    expect(budget.take()).toBe(false);
    nowMs += 1;
    expect(taken(budget)).toBe(1);
    nowMs += 3_600_000;
    expect(taken(budget)).toBe(10);
  });

  it('has one restart more for every twenty visits, and none for time', () => {
    let nowMs = 0;
    const budget = new RetryBudget(() => nowMs, RESTART_RATES);
    taken(budget);
    nowMs += 3_600_000;
    expect(taken(budget)).toBe(0);
    for (let visit = 0; visit < 19; visit++) budget.visited();
    expect(budget.isEmpty).toBe(true);
    budget.visited();
    expect(taken(budget)).toBe(1);
  });

  it('has two restarts more for each that has helped, up to twenty, where visits fill it up to five', () => {
    const budget = new RetryBudget(() => 0, RESTART_RATES);
    taken(budget);
    budget.giveBack();
    expect(taken(budget)).toBe(2);
    for (let times = 0; times < 11; times++) budget.giveBack();
    for (let visit = 0; visit < 100; visit++) budget.visited();
    expect(taken(budget)).toBe(20);
    for (let visit = 0; visit < 200; visit++) budget.visited();
    expect(taken(budget)).toBe(5);
  });

  const step = fc.oneof(
    { weight: 8, arbitrary: fc.constant({ do: 'take' } as const) },
    { weight: 3, arbitrary: fc.constant({ do: 'visit' } as const) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(800) }) },
  );

  it.each([
    { name: 'repeats', rates: REPEAT_RATES },
    { name: 'restarts', rates: RESTART_RATES },
  ])('never gives more $name in any interval than its rates allow, and often as many', ({ rates }) => {
    let tightest = Number.POSITIVE_INFINITY;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        let nowMs = 0;
        const budget = new RetryBudget(() => nowMs, rates);
        const history: Event[] = [];
        for (const each of steps) {
          if (each.do === 'pass') nowMs += each.ms;
          else if (each.do === 'visit') {
            budget.visited();
            history.push({ atMs: nowMs, what: 'visit' });
          } else if (budget.take()) history.push({ atMs: nowMs, what: 'take' });
        }
        const slack = leastSlack(history, rates);
        expect(slack).toBeGreaterThanOrEqual(-1e-9);
        tightest = Math.min(tightest, slack);
      }),
      { numRuns: 2_000, seed: 11 },
    );
    expect(tightest).toBeLessThan(1e-9);
  });
});

interface Event {
  readonly atMs: number;
  readonly what: 'visit' | 'take';
}

/** How much less than allowed was taken, in the interval where that is least: by looking at every one of them. */
function leastSlack(history: readonly Event[], { capacity, perVisit, perSecond }: BudgetRates): number {
  let least = capacity;
  for (const [first, { atMs: fromMs, what }] of history.entries()) {
    if (what !== 'take') continue;
    let allowed = capacity;
    for (const event of history.slice(first)) {
      allowed += event.what === 'take' ? -1 : perVisit;
      least = Math.min(least, allowed + ((event.atMs - fromMs) / 1_000) * perSecond);
    }
  }
  return least;
}
