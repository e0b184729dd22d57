import { InvalidArgumentError } from 'commander';

import { DURATION_RULE, parseDuration } from '../config/file/duration.ts';
import { parseUtcTime, UTC_TIME_RULE } from '../core/formats/utc-time.ts';
import { GROUPING_RULE, parseGroupings } from './usage/grouping.ts';

/** Adds a value to those that were given before. */
export function appendValue(value: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...(earlier ?? []), value];
}

/** Reads the path of a file, which is given once. Throws InvalidArgumentError where it is none. */
export function readPath(value: string, earlier: string | undefined): string {
  if (value === '' || value.startsWith('--')) throw new InvalidArgumentError('It needs the path of a file.');
  if (earlier !== undefined) throw new InvalidArgumentError('It was given twice.');
  return value;
}

/** Reads a whole number. Throws InvalidArgumentError where it is none. */
export function readWholeNumber(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(value);
}

/** Reads a decimal. Throws InvalidArgumentError where it is none. */
export function readDecimal(value: string): number {
  if (!/^-?\d{1,9}(\.\d{1,9})?$/.test(value)) throw new InvalidArgumentError('It must be a number, such as 0.7.');
  return Number(value);
}

/** Reads a time, in milliseconds since the epoch. Throws InvalidArgumentError where it is none. */
export function readUtcTime(value: string): number {
  const ms = parseUtcTime(value);
  if (ms === undefined) throw new InvalidArgumentError(`It ${UTC_TIME_RULE}.`);
  return ms;
}

/** Reads by what rows of usage are told apart. Throws InvalidArgumentError where it is none. */
export function readGroupings(value: string): string {
  if (parseGroupings(value) === undefined) throw new InvalidArgumentError(`It ${GROUPING_RULE}.`);
  return value;
}

/** Reads a duration, in milliseconds; a number alone is one of seconds. Throws InvalidArgumentError where it is none. */
export function readFlagDuration(value: string): number {
  const ms = parseDuration(/^\d+$/.test(value) ? `${value}s` : value);
  if (ms === undefined) throw new InvalidArgumentError(`It ${DURATION_RULE}.`);
  return ms;
}
