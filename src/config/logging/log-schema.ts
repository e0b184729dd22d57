import { z } from 'zod';

import { LOG_LEVELS } from '../port/log-config.ts';

/** What a level is to be. */
export const LEVEL_RULE = 'must be info, warn or error';
const SHARE_RULE = 'must be all, none, or a share from 0 to 1 such as 0.01';

/** The section `log`. */
export const logSchema = z.strictObject(
  {
    level: z
      .enum(LOG_LEVELS, { error: LEVEL_RULE })
      .prefault('info')
      .describe('The least level that is written; what operators do is written at any. UNDERSTUDY_LOG_LEVEL wins.'),
    good_calls: z
      .union([z.enum(['all', 'none']), z.number().min(0, { error: SHARE_RULE }).max(1, { error: SHARE_RULE })], {
        error: SHARE_RULE,
      })
      .prefault('all')
      .describe('Which calls that ended well have a line: all, none, or a share of them such as 0.01.'),
  },
  { error: 'must be a mapping' },
);

/** The section `log` after it passed the schema. */
export type FileLog = z.output<typeof logSchema>;
