import { expect, test } from 'vitest';

import { RowEncoder, wholeRows } from '../../../src/ledger/journal/row-encoder.ts';
import { OWN_COLUMNS, SHARED_COLUMNS } from '../../../src/ledger/schema/columns.ts';
import type { UsageRecord } from '../../../src/ledger/port/usage-record.ts';
import { usageRecord, usageRow } from '../../support/usage-records.ts';

/** Returns the row of a record by the names of its columns. */
function columnsOf(row: string): Readonly<Record<string, unknown>> {
  const [shared = '', own = ''] = row.split('\t');
  return { ...named(shared, SHARED_COLUMNS), ...named(own, OWN_COLUMNS) };
}

function named(text: string, columns: readonly { readonly name: string }[]): Readonly<Record<string, unknown>> {
  const values: unknown = JSON.parse(text);
  return Object.fromEntries(columns.map(({ name }, at) => [name, Array.isArray(values) ? values[at] : undefined]));
}

test('a row has every field of its record in the order of the columns', () => {
  const row = columnsOf(usageRow(usageRecord({ labels: { team: 'red' }, firstOutputMs: 12.5, cacheWriteTokens: 3 })));
  expect(row).toEqual({
    started_at_ms: Date.UTC(2026, 10, 30, 14, 5),
    call_id: 'call-1',
    number: 1,
    duration_ms: 812.5,
    first_output_ms: 12.5,
    request_id: 'request-1',
    method: 'Chat',
    caller: 'billing',
    caller_group: 'backend',
    labels: '{"team":"red"}',
    kind: 'FIRST',
    provider: 'openai',
    target: 'openai',
    model: 'gpt-6-sol',
    reported_model: 'gpt-6-sol-2026-10-01',
    outcome: 'OK',
    http_status: 200,
    provider_request_id: 'req_1',
    is_serving: 1,
    input_tokens: 1_000,
    cached_input_tokens: 0,
    cache_write_tokens: 3,
    output_tokens: 100,
    reasoning_tokens: 10,
    is_estimated: 0,
    service_tier: 'default',
    cost_nano_usd: 2_800_000,
    cost_source: 'EXACT',
    list_nano_usd: 2_800_000,
    price_table_version: '2026-11-01',
  });
});

test('what is unknown is null, and no 0', () => {
  const unknown = { costNanoUsd: undefined, inputTokens: undefined, listNanoUsd: undefined } as const;
  expect(columnsOf(usageRow(usageRecord(unknown)))).toMatchObject({
    cost_nano_usd: null,
    input_tokens: null,
    list_nano_usd: null,
  });
});

test('money beyond what JSON has exactly is written as its digits', () => {
  const row = columnsOf(usageRow(usageRecord({ costNanoUsd: 9_007_199_254_740_993n })));
  expect(row['cost_nano_usd']).toBe('9007199254740993');
});

test('text that no store takes is written as near to it as may be', () => {
  const odd = { model: 'a\0b', requestId: '\ud800x', labels: { 'k\0': '\udc00' }, serviceTier: '\\u0000' } as const;
  expect(columnsOf(usageRow(usageRecord(odd)))).toMatchObject({
    model: 'a\ufffdb',
    request_id: '\ufffdx',
    labels: JSON.stringify({ 'k\ufffd': '\ufffd' }),
    service_tier: '\\u0000',
  });
});

test('what is no finite number is null, and text of any kind comes back', () => {
  for (const text of ['', ' ', '"', '\\', '\u001e\n\t', '\u007f', 'ö', '\u2028', '😀', '}],[']) {
    expect(columnsOf(usageRow(usageRecord({ requestId: text, durationMs: NaN })))).toMatchObject({
      request_id: text,
      duration_ms: null,
    });
  }
  expect(columnsOf(usageRow(usageRecord({ inputTokens: 1e21, durationMs: 0.001 })))).toMatchObject({
    input_tokens: 1e21,
    duration_ms: 0.001,
  });
  expect(columnsOf(usageRow(usageRecord({ costNanoUsd: -(2n ** 53n) })))['cost_nano_usd']).toBe('-9007199254740992');
});

test('no field is taken over from the attempt before, whichever differs', () => {
  const others = {
    method: 'StreamChat',
    caller: 'search',
    group: 'frontend',
    kind: 'RETRY',
    provider: 'deepseek',
    target: 'second',
    model: 'another',
    reportedModel: 'another-1',
    outcome: 'PROVIDER_TIMEOUT',
    httpStatus: 503,
    isServing: false,
    isEstimated: true,
    serviceTier: 'flex',
    costSource: 'ESTIMATED',
    priceTableVersion: '2026-10-01',
  } as const satisfies Partial<UsageRecord>;
  expect(Object.keys(others)).toHaveLength(SHARED_COLUMNS.length);
  const before = usageRecord();
  for (const [name, value] of Object.entries(others)) {
    const encoder = new RowEncoder();
    encoder.encode(before);
    const record = { ...before, [name]: value };
    expect(encoder.encode(record)).toBe(usageRow(record));
    expect(usageRow(record)).not.toBe(usageRow(before));
  }
});

test('what attempts have in common is of their own record, whichever came before', () => {
  const encoder = new RowEncoder();
  const records: readonly UsageRecord[] = [
    usageRecord(),
    usageRecord({ outcome: 'PROVIDER_TIMEOUT', isServing: false }),
    usageRecord({ target: 'other', httpStatus: undefined }),
    usageRecord({ model: 'a\tb\n' }),
    usageRecord(),
  ];
  for (let round = 0; round < 2; round++) {
    expect(records.map((record) => encoder.encode(record))).toEqual(records.map(usageRow));
  }
  const many = Array.from({ length: 250 }, (_, at) => usageRecord({ target: `target-${at}` }));
  expect(many.map((record) => encoder.encode(record))).toEqual(many.map(usageRow));
});

test('what a row shares with the one before it is left out where they are written together, and comes back', () => {
  const encoder = new RowEncoder();
  const records = [
    usageRecord(),
    usageRecord({ number: 2 }),
    usageRecord({ target: 'other' }),
    usageRecord({ target: 'other', number: 2 }),
    usageRecord({ number: 3 }),
  ];
  for (let round = 0; round < 2; round++) {
    const rows = records.map((record, at) => encoder.encode(record, at > 0));
    expect(rows.map((row) => row.startsWith('\t'))).toEqual([false, true, false, true, false]);
    expect(wholeRows(rows)).toEqual(records.map(usageRow));
  }
  expect(wholeRows(records.map(usageRow))).toEqual(records.map(usageRow));
  expect(wholeRows(['[1,"early"]'])).toEqual(['[1,"early"]']);
});
