import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import packageJson from '../../package.json' with { type: 'json' };
import { isAllowedLicence, wrongLicences } from '../../scripts/licences.ts';
import { readLockFile } from '../../scripts/lock-file.ts';
import { pinsOf } from '../../scripts/outdated-pins.ts';
import { ofProduction } from '../../scripts/sbom.ts';

const PACKAGES = readLockFile();
const PRODUCTION = PACKAGES.filter(({ isDev }) => !isDev);

function textOf(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

describe('package-lock.json', () => {
  test.each(Object.entries(packageJson.optionalDependencies))(
    'holds %s, which an npm install can drop',
    (name, pinned) => {
      expect(PACKAGES).toContainEqual(expect.objectContaining({ path: `node_modules/${name}`, version: pinned }));
    },
  );

  test('holds the hash of every package for production', () => {
    expect(PRODUCTION.length).toBeGreaterThan(50);
    expect(PRODUCTION.filter(({ integrity }) => integrity?.startsWith('sha512-') !== true)).toEqual([]);
  });

  test('holds each dependency at the version that is pinned', () => {
    for (const path of ['package.json', 'clients/typescript/package.json']) {
      for (const [name, pinned] of pinsOf(JSON.parse(textOf(path)))) {
        expect(pinned, name).toMatch(/^\d+\.\d+\.\d+$/);
        expect(PACKAGES).toContainEqual(expect.objectContaining({ name, version: pinned }));
      }
    }
  });
});

describe('packages for production', () => {
  test('have licences that are allowed', () => {
    expect(wrongLicences(PACKAGES, () => undefined)).toEqual([]);
  });

  test('may have a licence out of several, or several that are all allowed', () => {
    expect(['MIT', '(Apache-2.0 AND BSD-3-Clause)', 'GPL-3.0 OR MIT'].map(isAllowedLicence)).toEqual([
      true,
      true,
      true,
    ]);
    const refused = [undefined, 'GPL-3.0', 'MIT AND GPL-3.0', 'SEE LICENSE IN LICENSE', '(MIT OR X) AND Y'];
    expect(refused.map(isAllowedLicence)).toEqual([false, false, false, false, false]);
  });

  test('are believed before the lock file', () => {
    const [one] = PRODUCTION;
    if (one === undefined) throw new Error('there is none');
    expect(wrongLicences([one], () => 'AGPL-3.0')).toEqual([`${one.path} ${one.version}: AGPL-3.0`]);
  });
});

test('the bill of materials names what runs, by the names that packages have, and nothing for development', () => {
  const component = (ref: string, name: string, dev: boolean) => ({
    'bom-ref': ref,
    name,
    properties: dev ? [{ name: 'cdx:npm:package:development', value: 'true' }] : [],
  });
  const told = ofProduction(
    JSON.stringify({
      metadata: { component: component('understudy@0.1.0', 'folder', false) },
      components: [component('@understudy/client@0.1.0', 'typescript', false), component('knip@6.0.0', 'knip', true)],
      dependencies: [
        { ref: 'understudy@0.1.0', dependsOn: ['@understudy/client@0.1.0', 'knip@6.0.0'] },
        { ref: 'knip@6.0.0', dependsOn: [] },
      ],
    }),
  );
  expect(told).toMatchObject({
    metadata: { component: { name: 'understudy' } },
    components: [{ name: '@understudy/client' }],
    dependencies: [{ ref: 'understudy@0.1.0', dependsOn: ['@understudy/client@0.1.0'] }],
  });
  expect(told.components).toHaveLength(1);
  expect(told.dependencies).toHaveLength(1);
});

test.each(['Dockerfile', '.ci/run', '.ci/nightly'])('%s runs no script of a package when it installs', (path) => {
  const installs = textOf(path).match(/npm ci.*/g) ?? [];
  expect(installs.length).toBeGreaterThan(0);
  expect(installs.filter((line) => !line.startsWith('npm ci --ignore-scripts'))).toEqual([]);
});
