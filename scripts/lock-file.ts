import { readFileSync } from 'node:fs';

/** A package that the lock file names. */
export interface LockedPackage {
  /** Where npm puts it, such as `node_modules/ajv`. */
  readonly path: string;
  readonly name: string;
  readonly version: string;
  /** SPDX expression; undefined where the package states none. */
  readonly license: string | undefined;
  /** Hash of the tarball; undefined where nobody has fetched it yet. */
  readonly integrity: string | undefined;
  /** Whether it is for work on this repository alone. */
  readonly isDev: boolean;
}

/** Reads the packages of package-lock.json; the workspaces' own are left out. */
export function readLockFile(): readonly LockedPackage[] {
  const text = readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8');
  return Object.entries(parseLock(text).packages).flatMap(([path, entry]) => {
    const at = path.lastIndexOf('node_modules/');
    if (at < 0 || entry.link === true) return [];
    const { version = '', license, integrity, dev = false } = entry;
    const name = path.slice(at + 'node_modules/'.length);
    return [{ path, name, version, license, integrity, isDev: dev }];
  });
}

interface LockEntry {
  readonly version?: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
}

/** The file is npm's own (lockfileVersion 3). */
function parseLock(text: string): { readonly packages: Readonly<Record<string, LockEntry>> } {
  return JSON.parse(text) as { readonly packages: Readonly<Record<string, LockEntry>> };
}
