import { dateOfDay, DAY_MS, daysSinceEpoch } from '../calendar.ts';

const MINUTE_MS = 60_000;

/** A month, a day, or RFC 3339 with an offset; seconds may be left out. */
const TIME =
  /^(\d{4})-(\d{2})(?:-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?([Zz]|[+-]\d{2}:\d{2}))?)?$/;

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
  const [year, month, day] = dateOfDay(Math.floor(ms / DAY_MS));
  const inDay = Math.floor(ms) - Math.floor(ms / DAY_MS) * DAY_MS;
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const date = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
  const time = `${two(inDay / 3_600_000)}:${two((inDay / MINUTE_MS) % 60)}:${two((inDay / 1_000) % 60)}`;
  return `${date}T${time}.${String(inDay % 1_000).padStart(3, '0')}Z`;
}

/** Writes a time since the epoch as RFC 3339 in UTC to the second: `2026-11-30T14:00:00Z`. */
export function rfc3339(ms: number): string {
  return `${formatUtcTime(ms).slice(0, -'.000Z'.length)}Z`;
}

/** The offset of a time zone in minutes; undefined where there is none such. */
function readOffset(text: string): number | undefined {
  if (text === 'Z' || text === 'z') return 0;
  const hours = Number(text.slice(1, 3));
  const minutes = Number(text.slice(4));
  if (hours > 23 || minutes > 59) return undefined;
  return (text.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}
