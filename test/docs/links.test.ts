import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { expect, test } from 'vitest';

import { readFromRoot } from '../support/doc-tables.ts';

const SOURCES = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' })
  .trimEnd()
  .split('\n')
  .filter((path) => existsSync(path));
const PAGES = SOURCES.filter((path) => path.endsWith('.md'));

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
