import { existsSync, readFileSync } from 'node:fs';

import type { LockedPackage } from './lock-file.ts';
import { readLockFile } from './lock-file.ts';

// Holds the packages that run in production to licences that ask for no more than their text (npm run licences).

/** SPDX identifiers of licences that may be in the image and in the dependencies of what is published. */
const ALLOWED: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  'Unlicense',
]);

/** Whether all licences of an SPDX expression are allowed, or, where it has an OR, those of one side of each. */
export function isAllowedLicence(expression: string | undefined): boolean {
  if (expression === undefined) return false;
  const plain = expression.replace(/^\((.*)\)$/, '$1');
  if (/[()]/.test(plain)) return false;
  return plain.split(' OR ').some((side) => side.split(' AND ').every((name) => ALLOWED.has(name)));
}

/**
 * Names the packages for production whose licence is not allowed. What a package on this machine says is believed before the lock file.
 *
 * @param installed tells the licence of a package that is installed, by its path
 */
export function wrongLicences(
  packages: readonly LockedPackage[],
  installed: (path: string) => string | undefined,
): readonly string[] {
  return packages
    .filter(({ isDev }) => !isDev)
    .map(({ path, version, license }) => ({ path, version, stated: installed(path) ?? license }))
    .filter(({ stated }) => !isAllowedLicence(stated))
    .map(({ path, version, stated }) => `${path} ${version}: ${stated ?? 'no licence'}`);
}

function installedLicence(path: string): string | undefined {
  const manifest = new URL(`../${path}/package.json`, import.meta.url);
  if (!existsSync(manifest)) return undefined;
  const parsed: unknown = JSON.parse(readFileSync(manifest, 'utf8'));
  const license: unknown = typeof parsed === 'object' && parsed !== null && Reflect.get(parsed, 'license');
  return typeof license === 'string' ? license : undefined;
}

if (import.meta.main) {
  const packages = readLockFile();
  const wrong = wrongLicences(packages, installedLicence);
  for (const line of wrong) process.stderr.write(`${line}\n`);
  const count = packages.filter(({ isDev }) => !isDev).length;
  process.stdout.write(`${count} packages for production, ${wrong.length} with a licence that is not allowed.\n`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}
