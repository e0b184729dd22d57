import { dateOfDay, daysSinceEpoch } from './calendar.ts';

const DAY_MS = 86_400_000;

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
