import { describe, expect, it } from 'vitest';

import { loadConfig } from '../../src/config/load.ts';
import { configErrorOf } from './loading.ts';

const PRICES =
  "version: '1'\nmodels: [{ provider: mock, model: m, source: s, date: 2026-11-22, prices: { input: '1', output: '2' } }]";

function load(files: Readonly<Record<string, string>>) {
  const readFile = (path: string): string => {
    const text = files[path];
    if (text === undefined) throw Object.assign(new Error('not there'), { code: 'ENOENT' });
    return text;
  };
  const config = 'targets: [{ name: a, provider: mock }]\nprices_file: prices.yaml';
  return loadConfig({
    env: {},
    configPath: '/etc/u/u.yaml',
    readFile: (path) => (path === '/etc/u/u.yaml' ? config : readFile(path)),
  });
}

describe('a file of prices', () => {
  it('is found beside the config file, and read', () => {
    const { prices, pricesFile } = load({ '/etc/u/prices.yaml': PRICES });
    expect([pricesFile, prices?.version, prices?.models.length]).toEqual(['/etc/u/prices.yaml', '1', 1]);
  });

  it.each([
    ['that is not there', {}, /^prices_file: cannot be read \(ENOENT\)$/],
    ['that is no YAML', { '/etc/u/prices.yaml': 'models: [' }, /^prices\.yaml:\d+:\d+: /],
    [
      'that has no price',
      { '/etc/u/prices.yaml': "version: '1'\nmodels: []" },
      /^prices_file prices\.yaml: models: must not be empty$/,
    ],
    [
      'whose price is a number',
      { '/etc/u/prices.yaml': PRICES.replace("'1', output", '1, output') },
      /^prices_file prices\.yaml: models\[0\]\.prices\.input: not a text$/,
    ],
    [
      'whose price is no decimal',
      { '/etc/u/prices.yaml': PRICES.replace("'2'", "'2,00'") },
      /^prices_file prices\.yaml: models\[0\]\.prices\.output: not a decimal from 0 to 999999\.999999999: "2,00"$/,
    ],
    [
      'whose date is none',
      { '/etc/u/prices.yaml': PRICES.replace('2026-11-22', '22.11.2026') },
      /^prices_file prices\.yaml: models\[0\]\.date: not a date such as 2026-11-22: "22\.11\.2026"$/,
    ],
    [
      'with two prices for a model',
      { '/etc/u/prices.yaml': PRICES.replace(/\[(.*)\]/, '[$1, $1]') },
      /two prices for mock\/m$/,
    ],
  ])('%s is a problem with its place', (_what, files, message) => {
    expect(configErrorOf(() => load(files))).toMatch(message);
  });
});
