import { z } from 'zod';

import { DURATION_PATTERN, DURATION_RULE, parseDuration } from './duration.ts';

/** What an object is to be. */
export const MAPPING = { error: 'must be a mapping' };
/** What an array is to be. */
export const LIST = { error: 'must be a list' };

const WAIT_RULE = 'must be 0s or a duration of at most 24h, such as 250ms, 2s or 1m';
const SECONDS_RULE = 'must be a duration from 1s to 24h, such as 1500ms, 60s or 2m';

/**
 * A text of a form. Every leaf says its rule in one sentence; the value and the path are put beside it by the one who reports
 * the issue.
 */
export function text(pattern: RegExp, rule: string) {
  return z.string({ error: rule }).regex(pattern, { error: rule });
}

/** One of some words. */
export function oneOf<const Words extends readonly string[]>(words: Words) {
  return z.enum(words, { error: `must be ${words.slice(0, -1).join(', ')} or ${words.at(-1)}` });
}

/** A whole number within bounds, both included. */
export function wholeNumber(least: number, most: number) {
  const error = `must be a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
}

/** True or false. */
export const flag = () => z.boolean({ error: 'must be true or false' });

/** A duration of 1 ms to 24 h; comes out in milliseconds. */
export const duration = () => milliseconds(DURATION_PATTERN, DURATION_RULE);

/** A duration of 1 s to 24 h; comes out in milliseconds. */
export const durationOfSeconds = () => milliseconds(/^([1-9]\d{3,7}ms|[1-9]\d{0,7}(s|m|h))$/, SECONDS_RULE);

/** A duration, or `0s` for none; comes out in milliseconds. */
export const durationOrNone = () => milliseconds(/^(0s|[1-9]\d{0,7}(ms|s|m|h))$/, WAIT_RULE);

function milliseconds(pattern: RegExp, rule: string) {
  return text(pattern, rule).transform((value, context) => {
    const ms = value === '0s' ? 0 : parseDuration(value);
    if (ms !== undefined) return ms;
    context.addIssue({ code: 'custom', message: rule });
    return z.NEVER;
  });
}
