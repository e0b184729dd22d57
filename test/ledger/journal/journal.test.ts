import { appendFileSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { frameRows, readRows } from '../../../src/ledger/journal/framed-rows.ts';
import { Journal } from '../../../src/ledger/journal/journal.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const ROWS = ['[1,"a"]', '[2,"ö\u2028"]', '[3,""]'];

test('rows come back as they were written', () => {
  expect(readRows(frameRows(ROWS))).toEqual({ rows: ROWS, damaged: [] });
});

test('a line is damaged wherever it is torn, changed or filled with zeros', () => {
  const text = frameRows(['[1,"abc"]']);
  for (let length = 1; length < text.length - 1; length++) {
    const { rows, damaged } = readRows(text.slice(0, length));
    expect([rows.length, damaged.length]).toEqual([0, 1]);
  }
  for (let at = 0; at < text.length - 1; at++) {
    const changed = `${text.slice(0, at)}${text[at] === '0' ? '1' : '0'}${text.slice(at + 1)}`;
    expect(readRows(changed).rows).toEqual([]);
  }
  expect(readRows(`\0\0\0\0\n${text}`).rows).toEqual(['[1,"abc"]']);
});

test('what an earlier process has left is read in the order in which it was written, and goes when it is done', () => {
  const folder = temporaryFolder();
  const before = new Journal(folder);
  before.append(ROWS);
  before.seal();
  before.append(['[4]']);
  const after = new Journal(folder);
  const left = after.left();
  expect(left.map((segment) => after.read(segment).rows)).toEqual([ROWS, ['[4]']]);
  expect(after.bytes).toBe(left.reduce((sum, { bytes }) => sum + bytes, 0));
  after.append(['[5]']);
  for (const segment of left) after.remove(segment);
  expect(new Journal(folder).left().map((segment) => after.read(segment).rows)).toEqual([['[5]']]);
  expect(statSync(folder).mode & 0o077).toBe(0);
});

test('lines that cannot be read are put aside, and the others are read', () => {
  const folder = temporaryFolder();
  const before = new Journal(folder);
  const path = before.append(ROWS)?.path ?? '';
  truncateSync(path, statSync(path).size - 4);
  appendFileSync(path, frameRows(['[4]']));
  const after = new Journal(folder);
  // The next one was appended to the torn one.
  const read = after.left().map((segment) => after.read(segment));
  expect(read).toEqual([{ rows: ROWS.slice(0, 2), damaged: 1 }]);
  expect(readFileSync(join(folder, 'left.rows'), 'utf8')).toContain('[3');
});

test('a file that somebody has removed has nothing in it, and foreign files are left alone', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'notes.txt'), 'mine');
  const journal = new Journal(folder);
  const segment = journal.append(ROWS) ?? { path: '', bytes: 0 };
  journal.seal();
  journal.remove(segment);
  expect(journal.read(segment)).toEqual({ rows: [], damaged: 0 });
  expect(readdirSync(folder)).toEqual(['notes.txt']);
});
