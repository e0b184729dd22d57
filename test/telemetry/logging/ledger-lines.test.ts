import { expect, test } from 'vitest';

import { createCallLog } from '../../../src/telemetry/logging/log.ts';

test('trouble of the ledger is told once a minute, and its end at once', () => {
  let nowMs = 0;
  const lines: string[] = [];
  const log = createCallLog({ write: (line) => lines.push(line), wall: () => 0, now: () => nowMs });
  for (nowMs of [0, 1_000, 3_000]) log.ledgerHappened({ kind: 'store_failed', error: 'ECONNREFUSED' });
  log.ledgerHappened({ kind: 'dropped', why: 'no_room' });
  log.ledgerHappened({ kind: 'journal_failed' });
  log.ledgerHappened({ kind: 'store_back' });
  log.ledgerHappened({ kind: 'replayed' });
  log.ledgerHappened({ kind: 'off', problem: 'ledger.journal: "x" cannot be written (EROFS)' });
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    {
      level: 'warn',
      time: 0,
      'understudy.ledger.error': 'ECONNREFUSED',
      msg: 'the store of the ledger takes nothing: usage waits',
    },
    {
      level: 'error',
      time: 0,
      msg: 'usage is lost to the ledger: the store takes none, and there is no room for more that waits',
    },
    { level: 'warn', time: 0, msg: 'the journal of the ledger cannot be written: usage waits in memory alone' },
    { level: 'info', time: 0, msg: 'the store of the ledger takes usage again' },
    { level: 'info', time: 0, msg: 'usage that the last process has left in the journal goes to the store' },
    { level: 'warn', time: 0, msg: 'usage is not recorded: ledger.journal: "x" cannot be written (EROFS)' },
  ]);
});
