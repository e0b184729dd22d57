import { DAY_MS, daysSinceEpoch } from '../core/calendar.ts';

/** When the price for busy hours counts. */
export interface Schedule {
  /** 1 is Monday, 7 Sunday. */
  readonly weekdays: ReadonlySet<number>;
  /** Hours of the day, from the first until just before the second, 0 to 24, UTC. */
  readonly hoursUtc: readonly (readonly [from: number, until: number])[];
  /** Days without busy hours, as days since 1970-01-01. */
  readonly daysOff: ReadonlySet<number>;
  /** The last day for which `daysOff` is complete, as days since 1970-01-01. */
  readonly daysOffKnownUntil: number;
}

/** Whether an instant is busy. `perhaps`: it is, unless the day turns out to be a day off that the list does not know yet. */
export type Busy = 'no' | 'yes' | 'perhaps';

const HOUR_MS = 3_600_000;
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;

/** Returns whether the instant `wallMs` (milliseconds since the epoch) lies in the busy hours of a schedule. */
export function busyAt(schedule: Schedule, wallMs: number): Busy {
  const day = Math.floor(wallMs / DAY_MS);
  const hour = (wallMs - day * DAY_MS) / HOUR_MS;
  // 1970-01-01 was a Thursday, the fourth day of its week.
  const weekday = ((((day + 3) % 7) + 7) % 7) + 1;
  const isBusyHour = schedule.hoursUtc.some(([from, until]) => hour >= from && hour < until);
  if (!isBusyHour || !schedule.weekdays.has(weekday) || schedule.daysOff.has(day)) {
    return 'no';
  }
  return day <= schedule.daysOffKnownUntil ? 'yes' : 'perhaps';
}

/**
 * Returns the days from 1970-01-01 to a date of the Gregorian calendar written as `2026-11-22`.
 *
 * @throws RangeError naming the value where there is no such day.
 */
export function dayOf(date: string): number {
  const [, year, month, day] = DATE.exec(date) ?? [];
  const days = daysSinceEpoch(Number(year), Number(month), Number(day));
  if (days === undefined) {
    throw new RangeError(`not a date such as 2026-11-22: ${JSON.stringify(date)}`);
  }
  return days;
}
