import { z } from 'zod';

import { MAPPING, text } from './leaves.ts';

const DAY_MS = 86_400_000;
const DAYS_RULE = 'must be whole days from 1d to 36500d, such as 400d';
const POSTGRES_RULE = 'must be a URL such as postgres://user:password@host:5432/database; best as ${DATABASE_URL}';
const ONE_STORE = 'must have either sqlite or postgres';

const path = () => text(/^[^\0]{1,4000}$/s, 'must be a path');

/** The section `ledger`. */
export const ledgerSchema = z
  .strictObject(
    {
      sqlite: path().optional().describe('Path of the file, for one process.'),
      postgres: z
        .string({ error: POSTGRES_RULE })
        .refine((value) => ['postgres:', 'postgresql:'].includes(URL.parse(value)?.protocol ?? ''), {
          error: POSTGRES_RULE,
        })
        .optional()
        .describe('URL of the database, for any number of processes. A secret; best as ${DATABASE_URL}.'),
      journal: path()
        .optional()
        .describe(
          'Folder of what is not yet in the store, of one process alone. Default: the path of the SQLite file with .journal behind it; usage.journal for PostgreSQL.',
        ),
      keep: text(/^[1-9]\d{0,4}d$/, DAYS_RULE)
        .transform((value, context) => {
          const days = Number(value.slice(0, -1));
          if (days <= 36_500) return days * DAY_MS;
          context.addIssue({ code: 'custom', message: DAYS_RULE });
          return z.NEVER;
        })
        .optional()
        .describe('After how many days rows are deleted; in PostgreSQL by whole months. Default: never.'),
    },
    MAPPING,
  )
  .refine(({ sqlite, postgres }) => (sqlite === undefined) !== (postgres === undefined), { error: ONE_STORE });

/** The section `ledger` after it passed the schema. */
export type FileLedger = z.output<typeof ledgerSchema>;
