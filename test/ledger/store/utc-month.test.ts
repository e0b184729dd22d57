import { expect, test } from 'vitest';

import { utcMonth, utcMonthOf } from '../../../src/ledger/store/utc-month.ts';

test('every instant is in the month that the calendar says, from 1970 to 2200', () => {
  for (let year = 1970; year < 2200; year++) {
    for (let month = 1; month <= 12; month++) {
      const [startMs, endMs] = [Date.UTC(year, month - 1, 1), Date.UTC(year, month, 1)];
      for (const atMs of [startMs, startMs + 1, endMs - 1]) {
        expect(utcMonthOf(atMs)).toEqual({ year, month, startMs, endMs });
      }
    }
  }
});

test('the thirteenth month is the first of the next year', () => {
  expect(utcMonth(2026, 13)).toEqual(utcMonthOf(Date.UTC(2027, 0, 15)));
});
