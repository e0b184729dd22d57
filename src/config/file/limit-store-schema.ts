import { z } from 'zod';

import type { LimitStoreConfig } from '../port/limit-store-config.ts';
import { duration, LIST, MAPPING, oneOf, text } from './leaves.ts';

const STORE_RULE =
  'must be redis://HOST:PORT, rediss://USER:PASSWORD@HOST:PORT/DATABASE, unix:///PATH, or a list of nodes of a cluster, without database';

const storeUrl = () => z.string({ error: STORE_RULE }).refine(isStoreUrl, { error: STORE_RULE });

/** The section `limits`. */
export const limitStoreSchema = z.strictObject(
  {
    store: z
      .union(
        [
          storeUrl(),
          z.array(storeUrl().refine(isOfCluster, { error: STORE_RULE }), LIST).min(1, { error: STORE_RULE }),
        ],
        { error: STORE_RULE },
      )
      .describe(
        'Redis 6.2 or later, or Valkey, in which all gateways count together. A list is a cluster. May hold a password: a secret.',
      ),
    timeout: duration().prefault('20ms').describe('How long a question may take.'),
    failure_mode: oneOf(['closed', 'open'])
      .prefault('closed')
      .describe(
        'While the store does not answer, calls are refused (closed), or counted by each gateway alone (open).',
      ),
    key_prefix: text(/^[A-Za-z0-9._:-]{1,64}$/, 'must be 1 to 64 letters, digits, or characters of ._:-')
      .prefault('understudy')
      .describe('With which all keys begin: gateways with the same one count together.'),
  },
  MAPPING,
);

/** The section `limits` after it passed the schema. */
export type FileLimitStore = z.output<typeof limitStoreSchema>;

/** Turns the section into what the gateway is told. */
export function resolveLimitStore(section: FileLimitStore): LimitStoreConfig {
  const [first = '', ...others] = typeof section.store === 'string' ? [section.store] : section.store;
  return {
    urls: [first, ...others],
    isCluster: typeof section.store !== 'string',
    timeoutMs: section.timeout,
    failureMode: section.failure_mode,
    keyPrefix: section.key_prefix,
  };
}

function isStoreUrl(value: string): boolean {
  const url = URL.parse(value);
  if (url === null || url.hash !== '' || url.search !== '') return false;
  if (url.protocol === 'unix:') return url.host === '' && url.pathname.length > 1;
  return /^rediss?:$/.test(url.protocol) && url.hostname !== '' && /^(\/\d{0,5})?$/.test(url.pathname);
}

function isOfCluster(value: string): boolean {
  const url = URL.parse(value);
  return url !== null && url.protocol !== 'unix:' && /^\/?$/.test(url.pathname);
}
