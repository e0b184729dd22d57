/** What a duration must look like, for errors. */
export const DURATION_RULE = 'must be a duration from 1ms to 24h, such as 250ms, 60s, 5m or 1h';

/** A whole positive number with its unit; the range is checked by {@link parseDuration}. */
export const DURATION_PATTERN = /^[1-9]\d{0,7}(ms|s|m|h)$/;

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

const LONGEST_MS = 24 * UNIT_MS.h;

/** Reads a duration in milliseconds; undefined where the text is none or it is longer than 24 hours. */
export function parseDuration(text: string): number | undefined {
  const unit = DURATION_PATTERN.exec(text)?.[1];
  if (unit !== 'ms' && unit !== 's' && unit !== 'm' && unit !== 'h') return undefined;
  const ms = Number(text.slice(0, -unit.length)) * UNIT_MS[unit];
  return ms <= LONGEST_MS ? ms : undefined;
}
