import { existsSync, readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { CLIENT_CASES } from '../clients/cases.ts';
import { blocksOf } from '../clients/snippets/blocks.ts';
import { readFromRoot } from '../support/doc-tables.ts';

const PAGE = readFromRoot('docs/clients.md');
const SERVICE_CONFIG = JSON.stringify(JSON.parse(readFileSync('clients/service-config.json', 'utf8')));
const SURPRISES = PAGE.slice(PAGE.indexOf('## What surprises'), PAGE.indexOf('## From a fresh clone'));

test('the service config balances, checks health and repeats nothing', () => {
  expect(JSON.parse(SERVICE_CONFIG)).toEqual({
    loadBalancingConfig: [{ round_robin: {} }],
    healthCheckConfig: { serviceName: '' },
  });
});

test('the page of the clients shows the service config as it is', () => {
  expect(
    blocksOf(PAGE)
      .find(({ language }) => language === 'json')
      ?.code.trim(),
  ).toBe(SERVICE_CONFIG);
  expect(PAGE).toContain(`SetServiceConfigJSON(R"(${SERVICE_CONFIG})")`);
});

test.each(['ts', 'python', 'go', 'java', 'cpp', 'csharp', 'rust', 'ruby'])(
  'the page has a program in %s',
  (language) => {
    expect(blocksOf(PAGE).filter((block) => block.language === language).length).toBeGreaterThan(0);
  },
);

test('the page shows how to balance by load: a client without the policy takes the next, and health is still checked', () => {
  const [, config = ''] = /### By load[\s\S]*?```json\n([\s\S]*?)```/.exec(PAGE) ?? [];
  expect(JSON.parse(config)).toEqual({
    loadBalancingConfig: [{ weighted_round_robin: {} }, { round_robin: {} }],
    healthCheckConfig: { serviceName: '' },
  });
});

test('every surprise is shown by a script that is there, a case or a run', () => {
  const shown = SURPRISES.split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| what'))
    .map((line) => [...(line.split(' | ').at(-1) ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));
  expect(shown.length).toBeGreaterThan(8);
  const isThere = (name: string): boolean =>
    name.startsWith('npm run ') ||
    name === 'browser' ||
    (name.includes('/') ? existsSync(name) : CLIENT_CASES.some((each) => each.name === name));
  for (const names of shown) {
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !isThere(name))).toEqual([]);
  }
});
