import { daysSinceEpoch } from '../../core/calendar.ts';

const DAY_MS = 86_400_000;

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
  let year = 1970 + Math.floor(atMs / DAY_MS / 365.2425);
  if (startOf(year, 1) > atMs) year -= 1;
  else if (startOf(year + 1, 1) <= atMs) year += 1;
  let month = 12;
  while (month > 1 && startOf(year, month) > atMs) month -= 1;
  return utcMonth(year, month);
}

/** Returns a month; months count from 1, and 13 is the first of the next year. */
export function utcMonth(year: number, month: number): UtcMonth {
  if (month > 12) return utcMonth(year + 1, month - 12);
  const endMs = month === 12 ? startOf(year + 1, 1) : startOf(year, month + 1);
  return { year, month, startMs: startOf(year, month), endMs };
}

function startOf(year: number, month: number): number {
  return (daysSinceEpoch(year, month, 1) ?? 0) * DAY_MS;
}
