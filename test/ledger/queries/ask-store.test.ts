import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { UsageFilter, UsageKey, UsageQueries, UsageSum } from '../../../src/ledger/port/usage-queries.ts';
import type { UsageRecord } from '../../../src/ledger/port/usage-record.ts';
import { askStore } from '../../../src/ledger/queries/ask-store.ts';
import { type FilledStore, STORES_OF_USAGE } from '../../support/stores-of-usage.ts';
import { usageRecord } from '../../support/usage-records.ts';

const NOVEMBER: UsageFilter = {
  startMs: Date.UTC(2026, 10, 1),
  endMs: Date.UTC(2026, 11, 1),
  equals: new Map(),
};

const LAST_MS = Date.UTC(2026, 11, 1) - 1;

const RECORDS: readonly UsageRecord[] = [
  usageRecord({ callId: 'a', labels: { team: 'red', 'odd "name"\\': 'yes' } }),
  usageRecord({
    callId: 'a',
    number: 2,
    kind: 'FAILOVER',
    provider: 'anthropic',
    target: 'second',
    model: 'claude-sonnet-5',
    reportedModel: '',
    outcome: 'PROVIDER_TIMEOUT',
    httpStatus: undefined,
    inputTokens: undefined,
    outputTokens: undefined,
    cachedInputTokens: undefined,
    reasoningTokens: undefined,
    costNanoUsd: undefined,
    costSource: 'UNKNOWN',
    listNanoUsd: undefined,
    serviceTier: '',
    isServing: false,
    labels: { team: 'red', 'odd "name"\\': 'yes' },
  }),
  usageRecord({
    callId: 'b',
    requestId: 'request-2',
    serviceTier: 'priority',
    costNanoUsd: 5_600_000n,
    labels: { team: 'Ö' },
  }),
  usageRecord({ callId: 'c', requestId: 'request-3', caller: 'search', group: '', startedAtMs: Date.UTC(2026, 10, 1) }),
  usageRecord({
    callId: 'd',
    requestId: 'request-3',
    caller: 'search',
    group: '',
    startedAtMs: LAST_MS,
    labels: { team: 'Zed' },
  }),
  usageRecord({ callId: 'e', requestId: 'request-4', startedAtMs: LAST_MS + 1, costNanoUsd: 9_007_199_254_740_993n }),
  usageRecord({ callId: 'f', requestId: 'request-5', startedAtMs: Date.UTC(2026, 9, 31, 23, 59, 59, 999) }),
];

/** The order of the bytes of UTF-8, which is that of code points. */
function byBytes(one: readonly string[], other: readonly string[]): number {
  for (const [index, text] of one.entries()) {
    const order = Buffer.compare(Buffer.from(text), Buffer.from(other[index] ?? ''));
    if (order !== 0) return order;
  }
  return 0;
}

function keyOf(record: UsageRecord, key: UsageKey): string {
  if (key.startsWith('label:')) {
    const name = key.slice('label:'.length);
    return Object.hasOwn(record.labels, name) ? (record.labels[name] ?? '') : '';
  }
  const time = new Date(record.startedAtMs).toISOString();
  if (key === 'hour') return `${time.slice(0, 13)}:00:00Z`;
  if (key === 'day') return `${time.slice(0, 10)}T00:00:00Z`;
  if (key === 'month') return `${time.slice(0, 7)}-01T00:00:00Z`;
  if (key === 'model') return record.reportedModel === '' ? record.model : record.reportedModel;
  if (key === 'service_tier') return record.serviceTier;
  return record[key as 'caller' | 'group' | 'provider' | 'target'];
}

/** Sums in memory, the plain way. */
function reckon(records: readonly UsageRecord[], { startMs, endMs, equals }: UsageFilter, keys: readonly UsageKey[]) {
  const found = new Map<string, UsageSum & { readonly calls: Set<string> }>();
  for (const record of records) {
    const { startedAtMs, callId, costNanoUsd } = record;
    if (startedAtMs < startMs || startedAtMs >= endMs) continue;
    if ([...equals].some(([key, value]) => keyOf(record, key) !== value)) continue;
    const own = keys.map((key) => keyOf(record, key));
    const before = found.get(JSON.stringify(own));
    const calls = (before?.calls ?? new Set()).add(callId);
    const add = (sum: bigint | undefined, more: number | bigint | undefined): bigint => (sum ?? 0n) + BigInt(more ?? 0);
    found.set(JSON.stringify(own), {
      keys: own,
      calls,
      requests: calls.size,
      attempts: (before?.attempts ?? 0) + 1,
      inputTokens: add(before?.inputTokens, record.inputTokens),
      cachedInputTokens: add(before?.cachedInputTokens, record.cachedInputTokens),
      outputTokens: add(before?.outputTokens, record.outputTokens),
      reasoningTokens: add(before?.reasoningTokens, record.reasoningTokens),
      costNanoUsd: add(before?.costNanoUsd, costNanoUsd),
      listNanoUsd: add(before?.listNanoUsd, record.listNanoUsd),
      unknownCostAttempts: (before?.unknownCostAttempts ?? 0) + (costNanoUsd === undefined ? 1 : 0),
    });
  }
  return [...found.values()]
    .map(({ calls: _calls, ...sum }) => sum)
    .sort((one, other) => byBytes(one.keys, other.keys));
}

for (const { name, isThere, open } of STORES_OF_USAGE)
  describe.skipIf(!isThere)(`usage in ${name}`, () => {
    let store: FilledStore;
    let queries: UsageQueries;
    beforeAll(async () => {
      store = await open();
      queries = askStore(store);
      await store.holds(RECORDS);
    });
    afterAll(async () => store.close());

    test.each<readonly UsageKey[]>([
      ['caller'],
      ['group'],
      ['provider', 'target'],
      ['model'],
      ['service_tier', 'caller'],
      ['hour'],
      ['day', 'caller'],
      ['month'],
      ['label:team'],
      ['label:odd "name"\\'],
      ['label:$.team', 'label:unknown'],
      ['month', 'caller', 'model', 'label:team'],
    ])('is told apart by %s', async (...keys) => {
      const all = { ...NOVEMBER, startMs: 0, endMs: Date.UTC(2027, 0, 1) };
      for (const filter of [NOVEMBER, all]) {
        expect(await queries.sums(filter, keys, { limit: 100 })).toEqual(reckon(RECORDS, filter, keys));
      }
    });

    test('is one row where nothing tells it apart, also of nothing', async () => {
      expect(await queries.sums(NOVEMBER, [], { limit: 1 })).toEqual(reckon(RECORDS, NOVEMBER, []));
      const [nothing] = await queries.sums({ ...NOVEMBER, startMs: NOVEMBER.endMs + 5 }, [], { limit: 1 });
      expect(nothing).toMatchObject({ keys: [], requests: 0, attempts: 0, costNanoUsd: 0n, unknownCostAttempts: 0 });
    });

    test('counts from the first millisecond of a month to its last', async () => {
      const [november] = await queries.sums(NOVEMBER, ['month'], { limit: 10 });
      expect(november).toMatchObject({ keys: ['2026-11-01T00:00:00Z'], attempts: 5, requests: 4 });
    });

    test('counts a call once, whatever id its request has', async () => {
      const equals = new Map([['caller', 'search']] as const);
      const [search] = await queries.sums({ ...NOVEMBER, equals }, ['caller'], { limit: 10 });
      expect(search).toMatchObject({ requests: 2, attempts: 2 });
    });

    test.each<readonly [Exclude<UsageKey, 'hour' | 'day' | 'month'>, string]>([
      ['caller', 'search'],
      ['caller', "'; DROP TABLE usage_attempts; --"],
      ['group', 'backend'],
      ['provider', 'anthropic'],
      ['target', 'second'],
      ['model', 'claude-sonnet-5'],
      ['service_tier', 'priority'],
      ['label:team', 'Ö'],
      ['label:team', ''],
      ['label:odd "name"\\', 'yes'],
    ])('counts what has %s %j alone', async (key, value) => {
      const filter = { ...NOVEMBER, equals: new Map([[key, value]]) };
      expect(await queries.sums(filter, ['caller'], { limit: 10 })).toEqual(reckon(RECORDS, filter, ['caller']));
    });

    test('comes in pages that miss nothing and have nothing twice', async () => {
      const keys: readonly UsageKey[] = ['label:team', 'caller', 'day'];
      const found: UsageSum[] = [];
      for (let after: readonly string[] | undefined; ;) {
        const page = await queries.sums(NOVEMBER, keys, { limit: 1, after });
        if (page.length === 0) break;
        found.push(...page);
        after = page[0]?.keys;
      }
      expect(found).toEqual(reckon(RECORDS, NOVEMBER, keys));
    });

    test('has sums beyond what a float holds, to the nano-dollar', async () => {
      const filter = { ...NOVEMBER, endMs: LAST_MS + 2 };
      const [sum] = await queries.sums(filter, [], { limit: 1 });
      expect(sum?.costNanoUsd).toBe(9_007_199_254_740_993n + 3n * 2_800_000n + 5_600_000n);
    });

    test('lists the attempts of a request as they were recorded, of one caller where that is asked', async () => {
      expect(await queries.attemptsOf('request-1')).toEqual(RECORDS.slice(0, 2));
      expect(await queries.attemptsOf('request-1', 'search')).toEqual([]);
      expect((await queries.attemptsOf('request-3', 'search')).map(({ callId }) => callId)).toEqual(['c', 'd']);
      expect(await queries.attemptsOf('unknown')).toEqual([]);
    });

    test('passes over all records in the order of their beginning', async () => {
      const found: UsageRecord[] = [];
      for await (const page of queries.records(NOVEMBER)) found.push(...page);
      expect(found.map(({ callId, number }) => `${callId}.${number}`)).toEqual(['c.1', 'a.1', 'a.2', 'b.1', 'd.1']);
      expect(found).toContainEqual(RECORDS[1]);
    });

    test('says what was spent by caller and group since a time', async () => {
      const spent = await queries.spentSince(NOVEMBER.startMs);
      expect(spent).toHaveLength(2);
      expect(spent).toContainEqual({ caller: 'search', group: '', nanoUsd: 5_600_000n });
      expect(spent).toContainEqual({ caller: 'billing', group: 'backend', nanoUsd: 9_007_199_263_140_993n });
    });
  });

/** Records as they may come, with times around the ends of hours, days and months. */
const RECORDED = fc.array(
  fc.record({
    startedAtMs: fc.constantFrom(
      ...[0, 1, 2].flatMap((month) => [-1, 0, 3_600_000].map((ms) => Date.UTC(2026, month, 1) + ms)),
    ),
    call: fc.nat(9),
    caller: fc.constantFrom('a', 'b', 'é', '𝕏', '￿', ''),
    label: fc.option(
      fc.string({ unit: 'grapheme', maxLength: 3 }).filter((text) => !text.includes('\0')),
      { nil: undefined },
    ),
    costNanoUsd: fc.option(fc.bigInt(0n, 10n ** 15n), { nil: undefined }),
    outputTokens: fc.option(fc.nat(2_000_000), { nil: undefined }),
  }),
  { maxLength: 40 },
);

describe.each(STORES_OF_USAGE)('any usage in $name', ({ isThere, open }) => {
  test.skipIf(!isThere)(
    'has the sums that are reckoned in memory',
    async () => {
      const store = await open();
      const queries = askStore(store);
      const grouping = fc.uniqueArray(fc.constantFrom<UsageKey>('caller', 'hour', 'day', 'month', 'label:l'), {
        maxLength: 4,
      });
      try {
        await fc.assert(
          fc.asyncProperty(
            RECORDED,
            grouping.filter((keys) => keys.length > 0),
            fc.integer({ min: 1, max: 7 }),
            async (drawn, keys, limit) => {
              const records = drawn.map(({ call, label, ...fields }, index) =>
                usageRecord({
                  ...fields,
                  callId: `call-${call}`,
                  number: index,
                  labels: label === undefined ? {} : { l: label },
                }),
              );
              await store.holds(records);
              const filter = { startMs: Date.UTC(2026, 0, 1), endMs: Date.UTC(2026, 2, 1), equals: new Map() };
              const found: UsageSum[] = [];
              for (let after: readonly string[] | undefined; ;) {
                const page = await queries.sums(filter, keys, { limit, after });
                found.push(...page);
                if (page.length < limit) break;
                after = page.at(-1)?.keys;
              }
              expect(found).toEqual(reckon(records, filter, keys));
            },
          ),
          { numRuns: 60 },
        );
      } finally {
        await store.close();
      }
    },
    120_000,
  );
});
