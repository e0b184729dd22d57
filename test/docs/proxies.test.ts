import { existsSync, readdirSync } from 'node:fs';

import { expect, test } from 'vitest';

import { PROXY_CASES } from '../proxies/cases.ts';
import { PROXY_PROGRAMS } from '../proxies/proxy-programs.ts';
import { readFromRoot } from '../support/doc-tables.ts';

const PAGE = readFromRoot('docs/proxies.md');
const FILES = Object.values(PROXY_PROGRAMS).map(({ file }) => file);

test('every configuration that is shipped is tried, and linked', () => {
  expect(FILES.toSorted()).toEqual(readdirSync('deploy/proxies').toSorted());
  for (const file of FILES) expect(PAGE).toContain(`](../deploy/proxies/${file})`);
});

test('the page checks every configuration by its own program', () => {
  const [, block = ''] = PAGE.split('```bash\n');
  const [commands = ''] = block.split('```', 1);
  for (const file of FILES) expect(commands).toContain(`deploy/proxies/${file}`);
});

test('cases and scripts that the page names are there', () => {
  const names = new Set<string>(PROXY_CASES.map(({ name }) => name));
  for (const name of ['silence', 'impatient', 'rolling']) {
    expect(PAGE).toContain(`\`${name}\``);
    expect(names).toContain(name);
  }
  for (const [, script = ''] of PAGE.matchAll(/`(findings\/[\w.-]+)`/g)) expect(existsSync(script)).toBe(true);
});

test('every timeout of silence that is shipped is longer than the longest default deadline, 600 s', () => {
  for (const file of FILES.filter((each) => each !== 'Caddyfile')) {
    const seconds = [...readFromRoot(`deploy/proxies/${file}`).matchAll(/\b(\d{3,})s\b/g)].map(([, s]) => Number(s));
    expect(seconds.length).toBeGreaterThan(1);
    expect(Math.min(...seconds)).toBeGreaterThan(600);
  }
});
