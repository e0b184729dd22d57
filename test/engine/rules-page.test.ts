import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGE = readFileSync(`${ROOT}docs/engine-rules.md`, 'utf8');
const ROWS = PAGE.slice(0, PAGE.indexOf('## Left out'))
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| rule') && !line.startsWith('| timer'));

/** The rules of the engine that have a number, but for those that the page says are left out. */
const RULES = [
  'A1 A2 A3 A4 B1 B2 B3 B4 B5 C1–C21 X1 X2 X3 X4 X5 R1 R2 R3 R4 R5 R7',
  'K1 K2 K3 K4 K5 K6 K7 K8 K9 K10 K11 G1 G2 G3 G4 G4a G5 G6 G7',
  'U1 U2 U3 P1 P1a P2 L1 L2 L5 L6 D1 D2 D3 D4 D5',
].flatMap((line) => line.split(' '));

test('every rule has a row', () => {
  const named = ROWS.flatMap((row) => row.split('|')[1]?.split(',') ?? []).map((rule) => rule.trim());
  expect(named).toEqual(expect.arrayContaining(RULES));
});

test.each(ROWS)('%s', (row) => {
  const columns = row.split('|').map((column) => column.trim());
  const [files = '', proof = ''] = columns.slice(-3, -1);
  const paths = [...files.matchAll(/`([^`]+)`/g)].map(([, path]) => path);
  expect(paths.length).toBeGreaterThan(0);
  for (const path of paths) expect(existsSync(`${ROOT}src/${path}`), `${path} is there`).toBe(true);
  const proofs = [...proof.matchAll(/`([^`]+)` “([^”]+)”/g)];
  expect(proofs.length).toBeGreaterThan(0);
  for (const [, file = '', name = ''] of proofs) {
    const path = `${ROOT}test/${file}${file.startsWith('sim/') ? '' : '.test'}.ts`;
    expect(readFileSync(path, 'utf8')).toContain(name);
  }
});
