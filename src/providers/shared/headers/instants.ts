import { daysSinceEpoch } from '../../../core/calendar.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const HTTP_DATE = /^[A-Z][a-z]{2}, (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/;
const RFC_3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2}(?:\.\d+)?)(?:Z|([+-])(\d{2}):(\d{2}))$/i;

/** Reads an HTTP date as milliseconds since the epoch; undefined where it is absent or malformed. */
export function parseHttpDate(text: string | undefined): number | undefined {
  const [, day, month = '', year, hour, minute, second] = HTTP_DATE.exec(text?.trim() ?? '') ?? [];
  return instant([year, MONTHS.indexOf(month) + 1, day, hour, minute, second]);
}

/** Reads an instant as RFC 3339 writes it as milliseconds since the epoch; undefined where it is absent or malformed. */
export function parseRfc3339(text: string | undefined): number | undefined {
  const [, year, month, day, hour, minute, second, sign, offsetHours = 0, offsetMinutes = 0] =
    RFC_3339.exec(text?.trim() ?? '') ?? [];
  const local = instant([year, month, day, hour, minute, second]);
  const offsetMs = (Number(offsetHours) * 60 + Number(offsetMinutes)) * 60_000;
  return local === undefined ? undefined : local - (sign === '-' ? -offsetMs : offsetMs);
}

function instant(parts: readonly (string | number | undefined)[]): number | undefined {
  const [year = Number.NaN, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map(Number);
  const days = daysSinceEpoch(year, month, day);
  // A leap second is the first of the next minute.
  if (days === undefined || hour > 23 || minute > 59 || second >= 61) return undefined;
  return ((days * 24 + hour) * 60 + minute) * 60_000 + Math.round(second * 1_000);
}
