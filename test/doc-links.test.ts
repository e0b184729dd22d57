import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { expect, test } from 'vitest';

import { readFromRoot } from './support/doc-tables.ts';

const PAGES = readdirSync('docs', { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.md'))
  .map((path) => `docs/${path}`)
  .concat('README.md', 'CONTRIBUTING.md', 'bench/README.md');

const SOURCES = ['src', 'test', 'bench', 'clients', 'smoke', 'gen']
  .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => `${folder}/${path}`))
  .concat(readdirSync('.'));

test.each(PAGES)('every link of %s leads to a file and a heading that are there', (page) => {
  for (const [, link = ''] of withoutCode(readFromRoot(page)).matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(link)) continue;
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : join(dirname(page), path);
    expect(existsSync(target), link).toBe(true);
    if (anchor !== undefined) expect(anchorsOf(target), link).toContain(anchor);
  }
});

test.each(PAGES)('every source file that %s names is there', (page) => {
  const named = [...withoutCode(readFromRoot(page)).matchAll(/`([\w./-]+\.ts)`/g)].map(([, path = '']) => path);
  expect(named.filter((path) => !SOURCES.some((source) => `/${source}`.endsWith(`/${path}`)))).toEqual([]);
});

/** The headings of a page, as GitHub makes anchors of them. */
function anchorsOf(page: string): readonly string[] {
  return [...withoutCode(readFromRoot(page)).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function withoutCode(page: string): string {
  return page.replaceAll(/^```[\s\S]*?^```/gm, '');
}
