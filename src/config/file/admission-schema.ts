import { z } from 'zod';

import { duration, MAPPING, wholeNumber } from './leaves.ts';

/** The section `admission`. What is left out of it fits the machine, or is the engine's default. */
export const admissionSchema = z.strictObject(
  {
    max_active: wholeNumber(1, 100_000)
      .optional()
      .describe('Requests under way. Default: as many as the heap may be MiB large, from 100 to 1000.'),
    max_queued: wholeNumber(0, 100_000)
      .optional()
      .describe('Requests that wait for a slot. Default: a tenth of max_active.'),
    max_wait: duration()
      .prefault('1s')
      .describe('The longest wait for a slot; also a tenth of what the request has left.'),
    max_share: wholeNumber(1, 100)
      .prefault(80)
      .describe(
        'How much of either one connection may take while no other wants it, in percent; what is left is for whoever comes next.',
      ),
  },
  MAPPING,
);

/** The section `admission` after it passed the schema. */
export type FileAdmission = z.output<typeof admissionSchema>;
