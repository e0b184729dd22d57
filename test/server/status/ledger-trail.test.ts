import { expect, test } from 'vitest';

import { callsOfRecords } from '../../../src/server/status/ledger-trail.ts';
import { usageRecord } from '../../support/usage-records.ts';

test('rows of the ledger become calls, the last one first, with what is not known left out', () => {
  const first = { requestId: 'again', caller: '', group: '', reportedModel: '', providerRequestId: '' };
  const records = [
    usageRecord({
      ...first,
      callId: 'a',
      number: 1,
      startedAtMs: 1_000,
      durationMs: 50,
      outcome: 'PROVIDER_TIMEOUT',
      isServing: false,
      target: 'lead',
      costNanoUsd: undefined,
    }),
    usageRecord({
      ...first,
      callId: 'a',
      number: 2,
      startedAtMs: 1_060,
      durationMs: 40,
      outcome: 'OK',
      isServing: true,
      target: 'second',
      costNanoUsd: 7n,
    }),
    usageRecord({
      ...first,
      callId: 'b',
      number: 1,
      startedAtMs: 9_000,
      durationMs: 10,
      outcome: 'OK',
      isServing: true,
      target: 'lead',
      costNanoUsd: 5n,
    }),
  ];
  const calls = callsOfRecords(records);
  expect(calls).toMatchObject([
    { startedAtMs: 9_000, durationMs: 10, status: 'OK', nanoUsd: 5, target: 'lead' },
    { startedAtMs: 1_000, durationMs: 100, status: 'OK', target: 'second' },
  ]);
  expect(calls[1]?.nanoUsd).toBeUndefined();
  expect(calls[1]?.caller).toBeUndefined();
  expect(calls[1]?.attempts).toMatchObject([
    { number: 1, target: 'lead', outcome: 'PROVIDER_TIMEOUT', afterMs: 0 },
    { number: 2, target: 'second', outcome: 'OK', afterMs: 60, nanoUsd: 7 },
  ]);
  expect(callsOfRecords([])).toEqual([]);
});
