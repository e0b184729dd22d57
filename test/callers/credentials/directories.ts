import { hash } from 'node:crypto';

import { openCallerDirectory, type OpenDirectory } from '../../../src/callers/credentials/caller-directory.ts';
import type { Identified } from '../../../src/callers/port/credentials.ts';
import type { CallerConfig } from '../../../src/config/port/caller-config.ts';
import { parseKeysFile } from '../../../src/config/file/keys-file.ts';
import { keysFileRules } from '../../../src/config/resolve-callers.ts';
import { system } from '../../../src/system.ts';

/** What a directory of a test may be changed in. */
export interface DirectoryChanges {
  readonly apiKeysFile?: string;
  /** Milliseconds since the epoch. */
  readonly wall?: () => number;
  readonly now?: () => number;
  readonly fetch?: typeof fetch;
  readonly told?: (message: string) => void;
}

/** Opens a directory of callers; time is the system's unless it is changed. */
export function directoryOf(callers: readonly Partial<CallerConfig>[], changes: DirectoryChanges = {}): OpenDirectory {
  const config = {
    callers: callers.map((caller) => ({ name: 'billing', apiKeys: [], limits: {}, budgets: [], ...caller })),
    groups: [],
    apiKeysFile: changes.apiKeysFile,
  };
  const told = changes.told ?? (() => undefined);
  return openCallerDirectory({
    config,
    system: { ...system, wall: changes.wall ?? system.wall, now: changes.now ?? system.now },
    fetch: changes.fetch ?? (() => Promise.reject(new Error('no network'))),
    readKeys: (text) => parseKeysFile(text, keysFileRules(config)),
    info: told,
    warn: told,
  });
}

/** A key as the configuration has it. */
export const digested = (key: string, expiresAtMs?: number) => ({ sha256: hash('sha256', key), expiresAtMs });

/** Returns the name of who was found, or why nobody was, with what is wrong with a token. */
export async function found(identified: Identified | Promise<Identified>): Promise<string> {
  const who = await identified;
  if (!('credentials' in who)) return who.name;
  return who.token === undefined ? who.credentials : `${who.credentials} ${who.token}`;
}
