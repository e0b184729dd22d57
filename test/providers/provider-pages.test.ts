import { existsSync, readdirSync, readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { providerDefaults } from '../../src/config/port/provider-defaults.ts';
import { COMPATIBLE_PROVIDERS, PROVIDERS } from '../../src/core/provider.ts';
import { tableBelow } from '../support/doc-tables.ts';

const ROOT = new URL('../../', import.meta.url);

function read(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8');
}

const PAGE = read('docs/adding-a-provider.md');

/** The paths in the first column of the table below a line. */
function placesBelow(line: string): readonly string[] {
  const [, below = ''] = PAGE.split(line);
  const rows = /\| place \|.*\n\|[-|]+\n((?:\|.*\n)+)/.exec(below)?.[1] ?? '';
  return rows.match(/(?<=^\| `)[^`]+/gm) ?? [];
}

/** The source files in which something stands. */
function filesWith(pattern: RegExp): readonly string[] {
  return readdirSync(new URL('src/', ROOT), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `src/${file}`)
    .filter((file) => pattern.test(read(file)))
    .toSorted();
}

const EVERY_ONE = placesBelow('In this order:');
const SOME = placesBelow('Only where it differs there:');
const DISTINCT = placesBelow('the compiler asks for a line in these tables:');
const DIALECTS = placesBelow('shows what comes of them.');
const EXAMPLE = 'understudy.example.yaml';
const MOCK = 'docs/mock.md';
const CODE = /^src\/.*\.ts$/;

describe('the page on adding a provider', () => {
  it('names files that exist, and no others', () => {
    const paths = new Set(PAGE.match(/(?<=`)(?:src|test|docs)\/[^`]+(?=`)|(?<=`)understudy\.[a-z.]+(?=`)/g));
    expect(paths.size).toBeGreaterThan(25);
    for (const path of paths) {
      for (const { name } of COMPATIBLE_PROVIDERS) {
        const file = path.replace('<name>', name);
        expect(existsSync(new URL(file, ROOT)), file).toBe(true);
      }
    }
  });

  it.each(COMPATIBLE_PROVIDERS)('names every file in which $name is named', ({ name }) => {
    const at = (places: readonly string[]) =>
      places.map((place) => place.replace('<name>', name)).filter((place) => CODE.test(place));
    const named = filesWith(new RegExp(`'${name}'|\\b${name}:`));
    expect(at([...EVERY_ONE, ...SOME]), 'docs/adding-a-provider.md').toEqual(expect.arrayContaining([...named]));
    expect(named, `files with ${name}`).toEqual(expect.arrayContaining(at(EVERY_ONE)));
  });

  it('names every table over the providers', () => {
    const tables = filesWith(/satisfies .*Record<(?:DistinctName|ProviderName)\b/);
    expect(tables.filter((file) => !EVERY_ONE.includes(file))).toEqual(DISTINCT.toSorted());
  });

  it('names the tables of options that a new option has to be put into', () => {
    const whole = filesWith(/\bproviderOptions: 'laid_over'/);
    expect(whole).toEqual(DIALECTS.toSorted());
  });
});

describe('the lists of providers', () => {
  const called = PROVIDERS.filter((name) => name !== 'mock');

  const rows = tableBelow(read('README.md'), '## Configure it');

  it.each(called)('have a row for %s in README.md, with its variables and its default model', (provider) => {
    const { required, optional, model } = providerDefaults(provider);
    expect(
      rows.map(([, ...cells]) => cells.map(withoutExample)),
      'README.md, "Configure it"',
    ).toContainEqual([quoted(required), quoted(optional), model ?? expect.any(String)]);
  });

  it('have them in the order of the chain', () => {
    const order = called.map((provider) => quoted(providerDefaults(provider).required));
    expect(rows.map(([, found = '']) => withoutExample(found)).slice(0, order.length)).toEqual(order);
  });

  it('are nowhere else, where one could be forgotten', () => {
    const [introduction = ''] = read('README.md').split('## Configure it');
    const texts = { 'README.md': introduction, [EXAMPLE]: read(EXAMPLE), [MOCK]: read(MOCK) };
    const listing = Object.entries(texts).filter(
      ([, text]) => COMPATIBLE_PROVIDERS.filter(({ name }) => new RegExp(`\\b${name}\\b`, 'i').test(text)).length > 1,
    );
    expect(listing.map(([path]) => path)).toEqual([]);
  });

  it.each(called)('have %s on a page of docs/providers', (provider) => {
    const heads = readdirSync(new URL('docs/providers/', ROOT)).map(
      (file) => read(`docs/providers/${file}`).split('\n')[0],
    );
    expect(heads.join('\n').toLowerCase().replaceAll(' ', '-'), 'titles in docs/providers').toContain(provider);
  });
});

/** Variables as a cell of a table has them. */
function quoted(variables: readonly string[]): string {
  return variables.map((variable) => `\`${variable}\``).join(', ');
}

function withoutExample(cell: string): string {
  return cell.replace(/, such as .*$/, '');
}
