const DAY_MS = 86_400_000;

/**
 * Returns the days from 1970-01-01 to a day of the Gregorian calendar, whose months and days count from 1; undefined where
 * there is no such day.
 */
export function daysSinceEpoch(year: number, month: number, day: number): number | undefined {
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month))) return undefined;
  // Years are counted from March, so that a leap day is the last of its year.
  const marchYear = month > 2 ? year : year - 1;
  const monthFromMarch = (month + 9) % 12;
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400);
  return marchYear * 365 + leapDays + Math.floor((153 * monthFromMarch + 2) / 5) + day - 1 - 719_468;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** Returns the year, month and day, from 1, of a day of the Gregorian calendar that is so many days after 1970-01-01. */
function dateOfDay(days: number): readonly [year: number, month: number, day: number] {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return [year, month, dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1];
}

/** A day or a month of UTC: from `startMs` on and before `endMs`, in milliseconds since the epoch. */
export interface PeriodBounds {
  readonly startMs: number;
  readonly endMs: number;
}

/** Returns the day, or the month, of UTC in which an instant lies (milliseconds since the epoch). */
export function periodOf(per: 'day' | 'month', wallMs: number): PeriodBounds {
  const today = Math.floor(wallMs / DAY_MS);
  if (per === 'day') return { startMs: today * DAY_MS, endMs: (today + 1) * DAY_MS };
  const [year, month, day] = dateOfDay(today);
  const first = today - (day - 1);
  const next = month === 12 ? daysSinceEpoch(year + 1, 1, 1) : daysSinceEpoch(year, month + 1, 1);
  return { startMs: first * DAY_MS, endMs: (next ?? first + 31) * DAY_MS };
}

/** Writes an instant of milliseconds since the epoch as RFC 3339 in UTC to the second, such as `2026-11-30T00:00:00Z`. */
export function rfc3339(wallMs: number): string {
  const seconds = Math.floor(wallMs / 1_000);
  const days = Math.floor(seconds / 86_400);
  const ofDay = seconds - days * 86_400;
  const [year, month, day] = dateOfDay(days);
  const two = (value: number): string => String(value).padStart(2, '0');
  const time = [Math.floor(ofDay / 3_600), Math.floor(ofDay / 60) % 60, ofDay % 60].map(two).join(':');
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${time}Z`;
}
