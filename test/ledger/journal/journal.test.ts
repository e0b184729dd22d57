import { appendFileSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

import { expect, test } from 'vitest';

import { frameRows, readRows, readRowsFile } from '../../../src/ledger/journal/framed-rows.ts';
import { Journal } from '../../../src/ledger/journal/journal.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const ROWS = ['[1,"a"]', '[2,"ö\u2028"]', '[3,""]'];

test('rows come back as they were written', () => {
  const large = Array.from({ length: 5_000 }, (_, at) => `[${at},"ö\u2028 and some more text"]`);
  for (const rows of [ROWS, ['[1]'], large, ['[1,"ö"]'.repeat(8_000)]]) {
    expect(readRows(frameRows(rows).toString())).toEqual({ rows, damaged: [] });
  }
});

test('rows of a version that gave each of them a line and a checksum are read', () => {
  const text = ROWS.map((row) => `${crc32(row).toString(16).padStart(8, '0')} ${row}\n`).join('');
  expect(readRows(text)).toEqual({ rows: ROWS, damaged: [] });
});

test('a line is damaged wherever it is torn, changed or filled with zeros', () => {
  const text = frameRows(['[1,"abc"]']).toString();
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
  expect(left.map((segment) => readRowsFile(segment.path).rows)).toEqual([ROWS, ['[4]']]);
  expect(after.bytes).toBe(left.reduce((sum, { bytes }) => sum + bytes, 0));
  after.append(['[5]']);
  for (const segment of left) after.remove(segment);
  expect(new Journal(folder).left().map((segment) => readRowsFile(segment.path).rows)).toEqual([['[5]']]);
  expect(statSync(folder).mode & 0o077).toBe(0);
});

test('files that an earlier version has left are read, and it does not take for its own what it cannot read', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, '000000000007.rows'), frameRows(['[7]']));
  const journal = new Journal(folder);
  expect(journal.left().map(({ path }) => readRowsFile(path).rows)).toEqual([['[7]']]);
  journal.append(['[8]']);
  expect(readdirSync(folder)).toEqual(['000000000007.rows', '000000000008.lines']);
  expect(new Journal(folder).left().map(({ path }) => readRowsFile(path).rows)).toEqual([['[7]'], ['[8]']]);
});

test('rows that were written together are there together: those of a line that is torn are damaged, and the others are read', () => {
  const folder = temporaryFolder();
  const before = new Journal(folder);
  before.append(['[0]']);
  const path = before.append(ROWS)?.path ?? '';
  truncateSync(path, statSync(path).size - 4);
  // The next one was appended to the torn one.
  appendFileSync(path, frameRows(['[4]']));
  appendFileSync(path, frameRows(['[5]']));
  const { rows, damaged } = readRowsFile(path);
  expect(rows).toEqual(['[0]', '[5]']);
  expect(damaged).toHaveLength(3);
  expect(damaged.slice(1)).toEqual([ROWS[1], expect.stringContaining('[3')]);
  before.putAside(damaged);
  expect(readFileSync(join(folder, 'left.rows'), 'utf8')).toContain('[3');
});

test('a file that somebody has removed has nothing in it, and foreign files are left alone', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'notes.txt'), 'mine');
  const journal = new Journal(folder);
  const segment = journal.append(ROWS) ?? { path: '', bytes: 0 };
  journal.seal();
  journal.remove(segment);
  expect(readRowsFile(segment.path)).toEqual({ rows: [], damaged: [] });
  expect(readdirSync(folder)).toEqual(['notes.txt']);
});
