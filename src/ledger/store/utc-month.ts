import { dateOfDay, DAY_MS, daysSinceEpoch, periodOf } from '../../core/calendar.ts';

/** A month of UTC. */
export interface UtcMonth {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  /** Its first instant, and the one behind its last, in milliseconds since the epoch. */
  readonly startMs: number;
  readonly endMs: number;
}

/** Returns the month that an instant is in, in milliseconds since the epoch from 1970 to 9999. */
export function utcMonthOf(atMs: number): UtcMonth {
  const [year, month] = dateOfDay(Math.floor(atMs / DAY_MS));
  return { year, month, ...periodOf('month', atMs) };
}

/** Returns a month; months count from 1, and 13 is the first of the next year. */
export function utcMonth(year: number, month: number): UtcMonth {
  if (month > 12) return utcMonth(year + 1, month - 12);
  return utcMonthOf((daysSinceEpoch(year, month, 1) ?? 0) * DAY_MS);
}
