import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

import clientJson from '../../clients/typescript/package.json' with { type: 'json' };
import lockJson from '../../package-lock.json' with { type: 'json' };
import packageJson from '../../package.json' with { type: 'json' };
import { valueAt } from '../../src/config/port/problem.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], { cwd: ROOT });
const DOCUMENTS = listed.toString().trimEnd().split('\n');
const FORMS = '.github/ISSUE_TEMPLATE';
const BODY_TYPES = ['markdown', 'textarea', 'input', 'dropdown', 'checkboxes'];

describe.each(DOCUMENTS)('%s', (path) => {
  test('names scripts that package.json has', () => {
    const scripts = new Set(Object.keys({ ...clientJson.scripts, ...packageJson.scripts }));
    const named = [...read(path).matchAll(/\bnpm run (?:--[\w-]+ )*([\w:]+)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !scripts.has(name))).toEqual([]);
  });
});

test('decisions have numbers of their own, which stand in their titles', () => {
  const decisions = DOCUMENTS.filter((path) => path.startsWith('docs/adr/0')).sort();
  const numbers = decisions.map((path) => Number(/\/(\d{4})-/.exec(path)?.[1]));
  expect(numbers.length).toBeGreaterThan(10);
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(decisions.map((path) => /^# (\d+)\. /.exec(read(path))?.[1])).toEqual(numbers.map(String));
});

test('both packages and the lock file have one version, and the changelog has it or calls it unreleased', () => {
  const { version } = packageJson;
  const locked = [lockJson.version, lockJson.packages[''].version, lockJson.packages['clients/typescript'].version];
  expect([clientJson.version, ...locked]).toEqual(Array.from({ length: 4 }, () => version));
  const changelog = read('CHANGELOG.md');
  expect(changelog).toMatch(/^## \[Unreleased\]$/m);
  expect(changelog.includes(`\n## [${version}] - 20`) || changelog.includes(`first release will be ${version}`)).toBe(
    true,
  );
});

describe.each(readdirSync(join(ROOT, FORMS)))('the issue form %s', (name) => {
  const form: unknown = parse(read(`${FORMS}/${name}`));
  const body: unknown = valueAt(form, ['body']);
  const fields: readonly unknown[] = Array.isArray(body) ? body : [];

  test('has what GitHub needs', () => {
    expect(form).toMatchObject({ name: expect.any(String), description: expect.any(String) });
    expect(fields.length).toBeGreaterThan(2);
    for (const field of fields) {
      const type = valueAt(field, ['type']);
      expect(BODY_TYPES).toContain(type);
      if (type === 'markdown') expect(valueAt(field, ['attributes', 'value'])).toEqual(expect.any(String));
      else expect(valueAt(field, ['attributes', 'label'])).toEqual(expect.any(String));
    }
  });

  test('gives each of its fields an id of its own', () => {
    const asked = fields.filter((field) => valueAt(field, ['type']) !== 'markdown');
    const ids = asked.map((field) => valueAt(field, ['id']));
    expect(ids).toEqual(asked.map(() => expect.stringMatching(/^[\w-]+$/)));
    expect(new Set(ids).size).toBe(ids.length);
  });
});

test('editors wrap lines where the formatter does', () => {
  const [, width] = /"printWidth": (\d+)/.exec(read('.oxfmtrc.json')) ?? [];
  expect(read('.editorconfig')).toContain(`max_line_length = ${width}\n`);
});
