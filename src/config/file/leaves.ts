import { z } from 'zod';

import { DURATION_PATTERN, DURATION_RULE, parseDuration } from './duration.ts';

/** What is wrong with a section that is none. */
export const MAPPING = { error: 'must be a mapping' };

const WAIT_RULE = 'must be 0s or a duration of at most 24h, such as 250ms, 2s or 1m';

/**
 * A text of a pattern. Every leaf says its rule in one sentence; the value and the path are put beside it by the one who reports
 * the issue.
 */
export function text(pattern: RegExp, rule: string) {
  return z.string({ error: rule }).regex(pattern, { error: rule });
}

/** A duration of 1 ms to 24 h; comes out in milliseconds. */
export const duration = () => milliseconds(DURATION_PATTERN, DURATION_RULE);

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
