import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { expect, test } from 'vitest';

import { Journal } from '../../src/ledger/journal/journal.ts';
import { WaitingRows } from '../../src/ledger/waiting-rows.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('rows go on in one file once the journal can be written again', () => {
  const folder = temporaryFolder();
  const waiting = new WaitingRows(new Journal(folder));
  rmSync(folder, { recursive: true });
  expect(waiting.add(['a'])).toBe('memory');
  mkdirSync(folder);
  for (const row of ['b', 'c', 'd']) expect(waiting.add([row])).toBe('journal');
  expect(readdirSync(folder)).toHaveLength(1);
  waiting.close();
  expect(waiting.add(['e'])).toBe('journal');
  expect(waiting.oldest).toMatchObject({ segment: undefined, rows: ['a'] });
  waiting.done();
  expect(waiting.oldest).toMatchObject({ rows: [], count: 3 });
  waiting.done();
  expect(waiting).toMatchObject({ open: 1, count: 1, hasBatches: false });
});
