import { resolve } from 'node:path';

import type { FileLedger } from './file/ledger-schema.ts';
import type { LedgerConfig } from './port/ledger-config.ts';

/** Where the ledger of `--demo` is, in the folder that the process was started in. */
const DEMO: FileLedger = { sqlite: 'usage.db' };

/**
 * Places the ledger: paths are relative to the folder of the config file, without one to the folder that the process was started in.
 *
 * @param section absent: there is none, but with `demo`
 */
export function resolveLedger(
  section: FileLedger | undefined,
  { folder = '.', demo }: { readonly folder?: string | undefined; readonly demo: boolean },
): LedgerConfig | undefined {
  const placed = section ?? (demo ? DEMO : undefined);
  if (placed === undefined) return undefined;
  const { sqlite, postgres = '', journal = `${sqlite ?? 'usage'}.journal`, keep: keepMs } = placed;
  const isOptional = section === undefined;
  const base = isOptional ? '.' : folder;
  return {
    store: sqlite === undefined ? { postgres } : { sqlite: resolve(base, sqlite) },
    journal: resolve(base, journal),
    keepMs,
    isOptional,
  };
}
