import { z } from 'zod';

import { DURATION_PATTERN, DURATION_RULE, parseDuration } from './duration.ts';

/** What an object is to be. */
export const MAPPING = { error: 'must be a mapping' };
/** What an array is to be. */
export const LIST = { error: 'must be a list' };

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

/** A duration such as 250ms, in milliseconds once it is read. */
export const duration = () =>
  text(DURATION_PATTERN, DURATION_RULE).transform((value, context) => {
    const ms = parseDuration(value);
    if (ms !== undefined) return ms;
    context.addIssue({ code: 'custom', message: DURATION_RULE });
    return z.NEVER;
  });
