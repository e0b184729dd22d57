import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, test } from 'vitest';

import { readFromRoot, tableBelow } from '../support/doc-tables.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGE = readFromRoot('docs/engine-rules.md');

/** The rules of the engine that have a number, but for those that the page says are left out. */
const RULES = [
  'A1 A2 A3 A4 A5 A6 B1 B2 B3 B4 B5 X1 X2 X3 X4 X5 X6 R1 R2 R3 R4 R5 R7',
  'C1 C2 C3 C4 C5 C6 C7 C8 C9 C10 C11 C12 C13 C14 C15 C16 C17 C18 C19 C20 C21 C22',
  'K1 K2 K3 K4 K5 K6 K7 K8 K9 K10 K11 K12 G1 G2 G3 G4 G4a G5 G6 G7',
  'U1 U2 U3 P1 P1a P2 L1 L2 L5 L6 D1 D2 D3 D4 D5',
].flatMap((line) => line.split(' '));

/** The text of each rule: an item of a list, or the evidence of a class. */
const TEXTS: ReadonlyMap<string, string> = new Map([
  ...[...PAGE.matchAll(/^- \*\*([A-Z]\d+a?)\*\* ((?:.+\n)(?: {2}.+\n)*)/gm)].map(
    ([, rule = '', text = '']) => [rule, text] as const,
  ),
  ...tableBelow(PAGE, '## Classes of failures').flatMap(([rule = '', name = '', evidence = '']) =>
    rule === '' ? [] : [[rule, `${name} ${evidence}`] as const],
  ),
]);

const LEFT_OUT = tableBelow(PAGE, '## Left out').map(([rule = '']) => rule);
const ROWS = [...tableBelow(PAGE, '## Files and proof'), ...tableBelow(PAGE, '### Timers')];

describe('every rule', () => {
  test('has its text', () => {
    expect([...TEXTS.keys()].sort()).toEqual([...RULES].sort());
    for (const [rule, text] of TEXTS) expect(text.split(/\s+/).length, rule).toBeGreaterThan(2);
  });

  test('has a row that names its files and its proof', () => {
    const named = ROWS.flatMap(([rules = '']) => rules.split(', ')).flatMap(expanded);
    expect(named).toEqual(expect.arrayContaining(RULES));
  });
});

describe('every citation', () => {
  const sources = ['src', 'test', 'docs', 'proto', 'bench'].flatMap((folder) =>
    readdirSync(`${ROOT}${folder}`, { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.(ts|md|proto)$/.test(path))
      .map((path) => `${folder}/${path}`),
  );
  const texts = [...sources, 'README.md', 'CONTRIBUTING.md'].map((path) => [path, readFromRoot(path)] as const);

  test('of a number is of a rule that the page has', () => {
    const known = new Set([...TEXTS.keys(), ...LEFT_OUT]);
    // gRFCs have letters and numbers of their own.
    const cited = texts.flatMap(([path, text]) =>
      [...text.matchAll(/(?<!gRFC |[\w/#.'-])([ABCDGKLPRUX]\d{1,2}a?)(?![\w-])/g)].map(([, rule = '']) => [path, rule]),
    );
    expect(cited.length).toBeGreaterThan(300);
    expect(cited.filter(([, rule = '']) => !known.has(rule))).toEqual([]);
  });

  test('of a section is of a heading of the page', () => {
    const cited = texts.flatMap(([, text]) =>
      [...text.matchAll(/\(engine, "([A-Z][a-z ]+)"/g)].map(([, name = '']) => name),
    );
    expect(cited.length).toBeGreaterThan(5);
    for (const name of cited) expect(PAGE).toContain(`\n## ${name}\n`);
  });

  test('of an invariant is of one that the simulator has', () => {
    const rows = tableBelow(readFromRoot('docs/simulation.md'), '## Invariants and their checks');
    const numbers = new Set(rows.map(([number]) => Number(number)));
    const cited = texts.flatMap(([, text]) =>
      [...text.matchAll(/invariants? (\d+)/g)].map(([, number]) => Number(number)),
    );
    expect(cited.length).toBeGreaterThan(5);
    expect(cited.filter((number) => !numbers.has(number))).toEqual([]);
  });
});

describe('a row', () => {
  test.each(ROWS)('of %s: %s', (...cells) => {
    const [files = '', proof = ''] = cells.slice(-2);
    const paths = [...files.matchAll(/`([^`]+)`/g)].map(([, path]) => path);
    expect(paths.length).toBeGreaterThan(0);
    for (const path of paths) expect(existsSync(`${ROOT}src/${path}`), `${path} is there`).toBe(true);
    const proofs = [...proof.matchAll(/`([^`]+)` “([^”]+)”/g)];
    expect(proofs.length).toBeGreaterThan(0);
    for (const [, file = '', name = ''] of proofs) {
      expect(readFromRoot(`test/${file}${file.startsWith('sim/') ? '' : '.test'}.ts`)).toContain(name);
    }
  });
});

/** Returns all of a range such as `C1–C21`. */
function expanded(rules: string): readonly string[] {
  const [, letter = '', first, last] = /^([A-Z])(\d+)–[A-Z](\d+)$/.exec(rules) ?? [];
  if (first === undefined || last === undefined) return [rules];
  return Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => `${letter}${Number(first) + index}`);
}
