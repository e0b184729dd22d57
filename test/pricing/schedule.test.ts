import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPriceTable } from '../../src/pricing/price-table.ts';
import { busyAt, dayOf } from '../../src/pricing/schedule.ts';

const schedule = createPriceTable().lookup('deepseek', 'deepseek-flash')?.peak?.schedule;

describe('busy hours of DeepSeek', () => {
  it.each([
    ['2026-11-23T00:59:59.999Z', 'no', 'Monday before 01:00'],
    ['2026-11-23T01:00:00.000Z', 'yes', 'Monday 01:00'],
    ['2026-11-23T03:59:59.999Z', 'yes', 'Monday before 04:00'],
    ['2026-11-23T04:00:00.000Z', 'no', 'Monday 04:00'],
    ['2026-11-23T05:59:59.999Z', 'no', 'Monday before 06:00'],
    ['2026-11-23T06:00:00.000Z', 'yes', 'Monday 06:00'],
    ['2026-11-23T09:59:59.999Z', 'yes', 'Monday before 10:00'],
    ['2026-11-23T10:00:00.000Z', 'no', 'Monday 10:00'],
    ['2026-11-27T02:00:00.000Z', 'yes', 'Friday'],
    ['2026-11-28T02:00:00.000Z', 'no', 'Saturday'],
    ['2026-11-22T02:00:00.000Z', 'no', 'Sunday'],
    ['2026-10-01T02:00:00.000Z', 'no', 'National Day, a Thursday'],
    ['2026-10-08T02:00:00.000Z', 'yes', 'the Thursday after the holidays'],
    ['2026-10-10T02:00:00.000Z', 'no', 'a Saturday on which people work: weekends are never busy'],
    ['2026-12-31T02:00:00.000Z', 'yes', 'the last day whose holidays are known'],
    ['2027-01-01T02:00:00.000Z', 'perhaps', 'a Friday of which nothing is known'],
    ['2027-01-02T02:00:00.000Z', 'no', 'a Saturday'],
  ])('%s: %s (%s)', (instant, busy) => {
    expect(schedule && busyAt(schedule, Date.parse(instant))).toBe(busy);
  });
});

describe('dayOf', () => {
  it('agrees with the calendar of the platform', () => {
    const days = fc.integer({ min: -719_162, max: 2_932_896 });
    fc.assert(
      fc.property(days, (day) => dayOf(new Date(day * 86_400_000).toISOString().slice(0, 10)) === day),
      { examples: [[0], [-1], [11_016], [20_512]] },
    );
  });

  it.each(['2026-02-29', '2100-02-29', '2026-00-01', '2026-13-01', '2026-04-31', '2026-1-1', '', '20261122'])(
    'refuses %j',
    (date) => {
      expect(() => dayOf(date)).toThrow(RangeError);
    },
  );

  it('knows leap days', () => {
    expect(dayOf('2028-03-01') - dayOf('2028-02-29')).toBe(1);
    expect(dayOf('2000-02-29') - dayOf('2000-02-28')).toBe(1);
  });
});
