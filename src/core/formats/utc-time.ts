import { daysSinceEpoch } from '../calendar.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** A month, a day, or RFC 3339 with seconds and an offset. */
const TIME = /^(\d{4})-(\d{2})(?:-(\d{2})(?:[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2}))?)?$/;

/** What {@link parseUtcTime} reads, for people. */
export const UTC_TIME_RULE =
  'must be a time such as 2026-11-30T14:00:00Z, or a day or a month of UTC, such as 2026-11-30 or 2026-11';

/**
 * Reads a time in milliseconds since the epoch: RFC 3339, or a day or a month, whose beginning in UTC is meant. What is finer than a
 * millisecond counts as a whole one. Undefined where it is none.
 */
export function parseUtcTime(text: string): number | undefined {
  const match = TIME.exec(text);
  if (match === null) return undefined;
  const [, year, month, day = '1', hours = '0', minutes = '0', seconds = '0', fraction = '', offset = 'Z'] = match;
  const days = daysSinceEpoch(Number(year), Number(month), Number(day));
  const offsetMinutes = readOffset(offset);
  if (days === undefined || offsetMinutes === undefined) return undefined;
  if (Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) return undefined;
  const inDayMs = (Number(hours) * 60 + Number(minutes) - offsetMinutes) * MINUTE_MS + Number(seconds) * 1_000;
  return days * DAY_MS + inDayMs + Math.ceil(Number(fraction.padEnd(9, '0')) / 1_000_000);
}

/** Writes a time since the epoch as RFC 3339 in UTC, with milliseconds: `2026-11-30T14:00:00.000Z`. */
export function formatUtcTime(ms: number): string {
  const { year, month, day } = dateOf(ms);
  const inDay = Math.floor(ms) - Math.floor(ms / DAY_MS) * DAY_MS;
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const date = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
  const time = `${two(inDay / 3_600_000)}:${two((inDay / MINUTE_MS) % 60)}:${two((inDay / 1_000) % 60)}`;
  return `${date}T${time}.${String(inDay % 1_000).padStart(3, '0')}Z`;
}

/** Returns when the month of UTC began that a time is in; both in milliseconds since the epoch. */
export function monthStartMs(ms: number): number {
  const { year, month } = dateOf(ms);
  return (daysSinceEpoch(year, month, 1) ?? 0) * DAY_MS;
}

/** The offset of a time zone in minutes; undefined where there is none such. */
function readOffset(text: string): number | undefined {
  if (text === 'Z' || text === 'z') return 0;
  const hours = Number(text.slice(1, 3));
  const minutes = Number(text.slice(4));
  if (hours > 23 || minutes > 59) return undefined;
  return (text.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

/** The day of the Gregorian calendar in UTC; {@link daysSinceEpoch} the other way round. */
function dateOf(ms: number): { readonly year: number; readonly month: number; readonly day: number } {
  // Days since March 1 of the year 0, in cycles of 400 years.
  const days = Math.floor(ms / DAY_MS) + 719_468;
  const cycle = Math.floor(days / 146_097);
  const ofCycle = days - cycle * 146_097;
  const leapDays = Math.floor(ofCycle / 1_460) - Math.floor(ofCycle / 36_524) + Math.floor(ofCycle / 146_096);
  const yearOfCycle = Math.floor((ofCycle - leapDays) / 365);
  const ofYear = ofCycle - (365 * yearOfCycle + Math.floor(yearOfCycle / 4) - Math.floor(yearOfCycle / 100));
  const monthFromMarch = Math.floor((5 * ofYear + 2) / 153);
  const day = ofYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  return { year: yearOfCycle + cycle * 400 + (month <= 2 ? 1 : 0), month, day };
}
