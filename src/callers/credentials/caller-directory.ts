import { readFileSync } from 'node:fs';

import type { CallersConfig, NamedKeyConfig } from '../../config/port/caller-config.ts';
import type { System } from '../../core/ports.ts';
import { NamedCallers } from '../named-callers.ts';
import type { Caller } from '../port/caller.ts';
import type { CallerDirectory, CertificateNames, Identified, ShownCredentials } from '../port/credentials.ts';
import { ApiKeys, type DigestedSecret } from './api-keys.ts';
import { watchFile } from '../../files/file-watch.ts';
import { credentialFailure } from './refusals.ts';
import { ShownBefore } from './shown-before.ts';
import { isTokenForm } from './token-claims.ts';
import { Tokens } from './tokens.ts';

/** So many callers are named in a line of the log. */
const MOST_NAMED = 10;

/** What a directory is made with. */
export interface DirectoryParts {
  readonly config: CallersConfig;
  readonly system: Pick<System, 'now' | 'wall' | 'setIdleTimer' | 'clearTimer'>;
  readonly fetch: typeof fetch;
  /** Reads the text of the file of keys. What it throws has a message for operators, which says the line and no key. */
  readonly readKeys: (text: string) => readonly NamedKeyConfig[];
  readonly info: (message: string) => void;
  readonly warn: (message: string) => void;
}

/** A directory that follows its files until it is closed. */
export interface OpenDirectory extends CallerDirectory {
  readonly tokens: Tokens;
  close(): void;
}

/**
 * Opens the directory of the callers of a configuration.
 *
 * @param before the directory until now; what it has loaded of issuers is used on
 */
export function openCallerDirectory(parts: DirectoryParts, before?: OpenDirectory): OpenDirectory {
  const { config, system } = parts;
  const named = new NamedCallers(config);
  const callers = config.callers.flatMap((entry) => {
    const caller = named.get(entry.name);
    return caller === undefined ? [] : [{ entry, caller }];
  });
  const keys = new ApiKeys(callers.flatMap(({ entry, caller }) => entry.apiKeys.map((key) => [key, caller] as const)));
  const byCertificate = new Map(
    callers.flatMap(({ entry: { certificateName }, caller }) =>
      certificateName === undefined ? [] : [[certificateName, caller] as const],
    ),
  );
  const tokens = new Tokens(config, named, () => system.wall(), parts, before?.tokens);
  const stopWatching = watchKeys(parts, keys, named);

  const shownBefore = new ShownBefore();
  const bySecret = (found: DigestedSecret): Identified | Promise<Identified> => {
    const key = keys.find(found);
    if (key !== undefined) {
      const isValid = key.expiresAtMs === Infinity || key.expiresAtMs > system.wall();
      return isValid ? key.caller : credentialFailure('expired_key');
    }
    const { secret, digest } = found;
    if (tokens.isEmpty || !isTokenForm(secret)) return credentialFailure('unknown_key');
    return tokens.known(digest) ?? tokens.identify(secret, digest);
  };
  return {
    tokens,
    identify: (shown: ShownCredentials) => {
      const found = shownBefore.read(shown);
      if (typeof found === 'object') return bySecret(found);
      if (found !== undefined) return credentialFailure(found);
      if (shown.certificate === undefined || byCertificate.size === 0) return credentialFailure('missing');
      return callerOf(shown.certificate, byCertificate) ?? credentialFailure('unknown_certificate');
    },
    close: () => {
      stopWatching?.();
      tokens.close();
    },
  };
}

/** Follows the file of keys. What cannot be read changes nothing: the last good keys stay. */
function watchKeys({ config, system, readKeys, info, warn }: DirectoryParts, keys: ApiKeys, named: NamedCallers) {
  const { apiKeysFile } = config;
  if (apiKeysFile === undefined) return undefined;
  let last: string | undefined;
  let before: readonly NamedKeyConfig[] | undefined;
  const changed = (text: string): void => {
    if (text === last) return;
    last = text;
    try {
      const read = readKeys(text);
      keys.replace(read, (name) => named.get(name));
      info(
        `the file of API keys was read: ${read.length} keys${before === undefined ? '' : whatChanged(before, read)}`,
      );
      before = read;
    } catch (error) {
      const why = error instanceof Error ? error.message.replaceAll('\n', '; ') : 'unknown';
      warn(`the file of API keys cannot be used, and the keys before stay: ${why}`);
    }
  };
  const unreadable = (code: string): void => {
    warn(`the file of API keys cannot be read (${code}), and the keys before stay`);
  };
  // The first call may come before the watch has looked.
  try {
    changed(readFileSync(apiKeysFile, 'utf8'));
  } catch {
    // The watch tells of it.
  }
  return watchFile(apiKeysFile, system, { changed, unreadable }, true);
}

/** Says whose keys are new, and whose are gone: names of the configuration, ten at most. A key that is another caller's now is both. */
function whatChanged(before: readonly NamedKeyConfig[], after: readonly NamedKeyConfig[]): string {
  const [added, gone] = [ownersOf(after, before), ownersOf(before, after)];
  return `${added === '' ? '' : `; new of ${added}`}${gone === '' ? '' : `; gone of ${gone}`}`;
}

/** The callers of those keys that are not among others. */
function ownersOf(keys: readonly NamedKeyConfig[], others: readonly NamedKeyConfig[]): string {
  const textOf = ({ caller, sha256 }: NamedKeyConfig): string => `${sha256} ${caller}`;
  const known = new Set(others.map(textOf));
  const names = [...new Set(keys.filter((key) => !known.has(textOf(key))).map(({ caller }) => caller))];
  return `${names.slice(0, MOST_NAMED).join(', ')}${names.length > MOST_NAMED ? ', …' : ''}`;
}

/** The one caller that a certificate names; undefined where it names none, or several. */
function callerOf({ alternativeNames }: CertificateNames, callers: ReadonlyMap<string, Caller>): Caller | undefined {
  const found = new Set(alternativeNames.flatMap((name) => callers.get(name) ?? []));
  return found.size === 1 ? found.values().next().value : undefined;
}
