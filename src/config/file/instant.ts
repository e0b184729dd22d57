import { daysSinceEpoch } from '../../core/calendar.ts';

/** What an instant must look like, for errors. */
export const INSTANT_RULE = 'must be an instant with its zone, such as 2027-01-31T12:00:00Z';

const INSTANT = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

/** Reads an instant of RFC 3339 in milliseconds since the epoch, seconds may be left out; undefined where the text is none. */
export function parseInstant(text: string): number | undefined {
  const parts = INSTANT.exec(text);
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second = 0, fraction = '0', sign, zoneHour = 0, zoneMinute = 0] = parts;
  const days = daysSinceEpoch(Number(year), Number(month), Number(day));
  const isTime = Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60;
  if (days === undefined || !isTime || Number(zoneHour) > 23 || Number(zoneMinute) > 59) return undefined;
  const zoneMinutes = (Number(zoneHour) * 60 + Number(zoneMinute)) * (sign === '-' ? -1 : 1);
  const minutes = days * 1_440 + Number(hour) * 60 + Number(minute) - zoneMinutes;
  return minutes * 60_000 + Number(second) * 1_000 + Math.floor(Number(`0.${fraction}`) * 1_000);
}
