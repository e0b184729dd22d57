import { parseUtcTime } from '../../core/formats/utc-time.ts';

/** What an instant must look like, for errors. */
export const INSTANT_RULE = 'must be an instant with its zone, such as 2027-01-31T12:00:00Z';

/** Reads an instant of RFC 3339 in milliseconds since the epoch, seconds may be left out; undefined where the text is none. */
export function parseInstant(text: string): number | undefined {
  return /^\S+[Tt]\S+$/.test(text) ? parseUtcTime(text) : undefined;
}
