import { describe, expect, test } from 'vitest';

import { periodOf, rfc3339 } from '../../src/core/calendar.ts';

const DAY_MS = 86_400_000;

describe('a period of a budget', () => {
  test.each([
    ['2026-11-30T23:59:59.999Z', '2026-11-30', '2026-12-01', '2026-11-01', '2026-12-01'],
    ['2026-12-01T00:00:00.000Z', '2026-12-01', '2026-12-02', '2026-12-01', '2027-01-01'],
    ['2028-02-29T12:00:00.000Z', '2028-02-29', '2028-03-01', '2028-02-01', '2028-03-01'],
    ['2100-02-28T12:00:00.000Z', '2100-02-28', '2100-03-01', '2100-02-01', '2100-03-01'],
  ])('is the day or the month of UTC in which %s lies', (at, day, nextDay, month, nextMonth) => {
    const bounds = (start: string, end: string) => ({ startMs: Date.parse(start), endMs: Date.parse(end) });
    expect(periodOf('day', Date.parse(at))).toEqual(bounds(day, nextDay));
    expect(periodOf('month', Date.parse(at))).toEqual(bounds(month, nextMonth));
  });
});

test('instants are written as RFC 3339, as the platform writes them', () => {
  for (let day = -30_000; day < 60_000; day += 17) {
    const atMs = day * DAY_MS + ((day * 7_919) % DAY_MS);
    expect(rfc3339(atMs)).toBe(new Date(Math.floor(atMs / 1_000) * 1_000).toISOString().replace('.000Z', 'Z'));
  }
});
