import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { formatUtcTime, monthStartMs, parseUtcTime } from '../../../src/core/formats/utc-time.ts';

/** All days of the years 1 to 9999. */
const INSTANTS = fc.integer({ min: Date.parse('0001-01-01T00:00:00Z'), max: Date.parse('9999-12-31T23:59:59.999Z') });

describe('a time of UTC', () => {
  test('is written as the clock of the platform writes it, and read back', () => {
    fc.assert(
      fc.property(INSTANTS, (ms) => {
        expect(formatUtcTime(ms)).toBe(new Date(ms).toISOString());
        expect(parseUtcTime(formatUtcTime(ms))).toBe(ms);
      }),
      { numRuns: 2_000 },
    );
  });

  test('is in a month that began on its first day', () => {
    fc.assert(
      fc.property(INSTANTS, (ms) => {
        expect(new Date(monthStartMs(ms)).toISOString()).toBe(
          `${new Date(ms).toISOString().slice(0, 7)}-01T00:00:00.000Z`,
        );
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['2026-11', Date.UTC(2026, 10, 1)],
    ['2026-11-30', Date.UTC(2026, 10, 30)],
    ['2028-02-29', Date.UTC(2028, 1, 29)],
    ['2026-11-30T14:00:00Z', Date.UTC(2026, 10, 30, 14)],
    ['2026-11-30t14:00:00z', Date.UTC(2026, 10, 30, 14)],
    ['2026-11-30T14:00:00.25Z', Date.UTC(2026, 10, 30, 14, 0, 0, 250)],
    ['2026-11-30T14:00:00.000000001Z', Date.UTC(2026, 10, 30, 14, 0, 0, 1)],
    ['2026-12-01T01:30:00+05:30', Date.UTC(2026, 10, 30, 20)],
    ['2026-11-30T20:00:00-08:00', Date.UTC(2026, 11, 1, 4)],
  ])('is read from %s', (text, ms) => {
    expect(parseUtcTime(text)).toBe(ms);
  });

  test.each([
    '',
    '2026',
    '2026-13',
    '2026-02-30',
    '2026-11-30T14:00',
    '2026-11-30T14:00:00',
    '2026-11-30T24:00:00Z',
    '2026-11-30T14:60:00Z',
    '2026-11-30T14:00:61Z',
    '2026-11-30T14:00:00+24:00',
    'yesterday',
    '1790000000',
  ])('is not read from %j', (text) => {
    expect(parseUtcTime(text)).toBeUndefined();
  });
});
