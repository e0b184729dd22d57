import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MOST_FILES = 16;
const MOST_LINES = 250;

/** Tests that are of no single room. */
const OF_NO_ROOM =
  /^(?:support|sim|chaos|e2e|soak|clients|servers|proxies|fuzz|attack|examples|docs|contract|packages|image|deploy|bench)(?:\/|$)|\/support$/;
/** Tests of a whole folder of rooms. */
const OF_ALL_ROOMS: ReadonlySet<string> = new Set(['engine/whole', 'providers/all']);

/** Returns the paths below a folder, with `/`, in order. */
function below(folder: string, kind: 'files' | 'folders'): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => (kind === 'files' ? entry.isFile() : entry.isDirectory()))
    .map((entry) => join(entry.parentPath, entry.name).slice(join(ROOT, folder).length + 1))
    .sort();
}

/** Returns what has the same key as something before it, as `key: one, other`. */
function twice(pairs: Iterable<readonly [key: string, path: string]>): readonly string[] {
  const paths = Map.groupBy(pairs, ([key]) => key);
  return [...paths]
    .filter(([, found]) => found.length > 1)
    .map(([key, found]) => `${key}: ${found.map(([, path]) => path).join(', ')}`);
}

/** Who imports whom. */
type Imports = readonly (readonly [from: string, to: string])[];

/** Returns the imports that make circles, or lie between two: what is left when ends and beginnings go again and again. */
function circular(imports: Imports): readonly string[] {
  let left = imports;
  for (;;) {
    const importing = new Set(left.map(([from]) => from));
    const imported = new Set(left.map(([, to]) => to));
    const kept = left.filter(([from, to]) => imported.has(from) && importing.has(to));
    if (kept.length === left.length) return kept.map(([from, to]) => `${from} -> ${to}`);
    left = kept;
  }
}

const FILES = below('src', 'files');
const CODE = FILES.filter((path) => path.endsWith('.ts'));
const TEXTS = new Map(CODE.map((path) => [path, readFileSync(join(ROOT, 'src', path), 'utf8')]));

/** What files import of each other, types included. */
const IMPORTS: Imports = [...TEXTS].flatMap(([path, text]) =>
  [...text.matchAll(/\bfrom '(\.[^']+)'|\bimport\('(\.[^']+)'\)/g)]
    .map(([, from, lazily]) => join(dirname(path), from ?? lazily ?? ''))
    .filter((imported) => TEXTS.has(imported))
    .map((imported) => [path, imported] as const),
);

/** What rooms import of each other; a room is a folder with files. */
const IMPORTS_OF_ROOMS: Imports = IMPORTS.map(([from, to]) => [dirname(from), dirname(to)] as const).filter(
  ([from, to]) => from !== to,
);

/** What files export by name; what `index.ts` passes on is exported elsewhere. */
function exportedNames(): readonly (readonly [name: string, path: string])[] {
  const declared = /^export (?:async )?(?:function\*?|class|interface|type|const|let) (\w+)/gm;
  return [...TEXTS]
    .filter(([path]) => path !== 'index.ts')
    .flatMap(([path, text]) =>
      [...new Set([...text.matchAll(declared)].map(([, name = '']) => name))].map((name) => [name, path] as const),
    );
}

describe('a room', () => {
  test('at the root holds the entries, the wiring and the system alone', () => {
    const entries = ['gateway.ts', 'index.ts', 'main.ts', 'serve.ts'];
    expect(FILES.filter((path) => !path.includes('/'))).toEqual([...entries, 'system.ts', 'wire-gateway.ts']);
  });

  test('has at most sixteen files', () => {
    const rooms = Map.groupBy(FILES, (path) => dirname(path));
    expect([...rooms].filter(([, files]) => files.length > MOST_FILES).map(([room]) => room)).toEqual([]);
  });

  test('is in no circle with others, types included', () => {
    expect(IMPORTS_OF_ROOMS.length).toBeGreaterThan(500);
    expect(circular(IMPORTS_OF_ROOMS)).toEqual([]);
  });

  test.each(below('test', 'folders').filter((folder) => !OF_NO_ROOM.test(folder) && !OF_ALL_ROOMS.has(folder)))(
    'is there for the tests in test/%s',
    (folder) => {
      expect(existsSync(join(ROOT, 'src', folder))).toBe(true);
    },
  );
});

describe('a file', () => {
  test('has at most 250 lines', () => {
    const long = [...TEXTS].filter(([, text]) => text.split('\n').length - 1 > MOST_LINES);
    expect(long.map(([path]) => path)).toEqual([]);
  });

  test('has a name that no other has', () => {
    expect(twice(FILES.map((path) => [basename(path), path]))).toEqual([]);
  });

  test('does not say the name of its folder again', () => {
    const prefixed = FILES.filter((path) => basename(path).startsWith(`${basename(dirname(path))}-`));
    expect(prefixed).toEqual([]);
  });

  test('exports names that no other exports', () => {
    const names = exportedNames();
    expect(names.length).toBeGreaterThan(500);
    expect(twice(names)).toEqual([]);
  });

  test('is in no circle with others, types included', () => {
    expect(IMPORTS.length).toBeGreaterThan(800);
    expect(circular(IMPORTS)).toEqual([]);
  });
});
