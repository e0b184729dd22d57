import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, createContextValues, createHandlerContext } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';

import { BadRequestSchema, ErrorInfoSchema } from '../../../gen/google/rpc/error_details_pb.ts';
import { ErrorReason } from '../../../gen/understudy/v1/error_pb.ts';
import { CostSource, UsageSource } from '../../../gen/understudy/v1/usage_pb.ts';
import {
  GetUsageRequestSchema,
  ListAttemptsRequestSchema,
  UsageDimension,
  UsageService,
} from '../../../gen/understudy/v1/usage_service_pb.ts';
import { CALLER } from '../../../src/server/port/caller-key.ts';
import type { UsageAudience } from '../../../src/server/port/usage-parts.ts';
import { createUsageHandlers } from '../../../src/server/usage/serve-usage.ts';
import { usageRecord } from '../../support/usage-records.ts';
import { fakeUsage, NOW_MS, usageSum } from '../support/fake-usage.ts';

const BY_CALLER = { dimension: UsageDimension.CALLER };

function contextOf(caller?: string, signal?: AbortSignal) {
  const values = createContextValues();
  if (caller !== undefined) values.set(CALLER, { name: caller, metricName: caller, accounts: [] });
  return createHandlerContext({
    service: UsageService,
    method: UsageService.method.getUsage,
    protocolName: 'grpc',
    requestMethod: 'POST',
    url: 'http://localhost/',
    contextValues: values,
    ...(signal && { requestSignal: signal }),
  });
}

interface Asking {
  readonly audience?: UsageAudience;
  readonly caller?: string;
  readonly signal?: AbortSignal;
}

async function getUsage(
  { parts }: Pick<ReturnType<typeof fakeUsage>, 'parts'>,
  request: MessageInitShape<typeof GetUsageRequestSchema> = {},
  { audience = 'operators', caller, signal }: Asking = {},
) {
  return createUsageHandlers(parts, audience).getUsage(
    create(GetUsageRequestSchema, request),
    contextOf(caller, signal),
  );
}

async function listAttempts(
  { parts }: Pick<ReturnType<typeof fakeUsage>, 'parts'>,
  requestId: string,
  { audience = 'operators', caller }: Asking = {},
) {
  return createUsageHandlers(parts, audience).listAttempts(
    create(ListAttemptsRequestSchema, { requestId }),
    contextOf(caller),
  );
}

async function errorOf(answer: Promise<unknown>): Promise<ConnectError> {
  return answer.then(
    () => {
      throw new Error('it was answered');
    },
    (error: unknown) => ConnectError.from(error),
  );
}

function violationsOf(error: ConnectError): readonly string[] {
  expect(error.code).toBe(Code.InvalidArgument);
  return (error.findDetails(BadRequestSchema)[0]?.fieldViolations ?? []).map(({ field }) => field);
}

const reasonOf = (error: ConnectError): string | undefined => error.findDetails(ErrorInfoSchema)[0]?.reason;

describe('GetUsage', () => {
  test('sums up this month until now where it is told nothing', async () => {
    const usage = fakeUsage([usageSum([])]);
    const answer = await getUsage(usage);
    expect(usage.asked).toEqual([
      {
        filter: { startMs: Date.UTC(2026, 10, 1), endMs: NOW_MS, equals: new Map() },
        keys: [],
        limit: 1_001,
        after: undefined,
      },
    ]);
    expect(answer).toMatchObject({
      rows: [
        {
          key: [],
          requests: 2n,
          attempts: 3n,
          inputTokens: 1_000n,
          cachedInputTokens: 400n,
          outputTokens: 100n,
          reasoningTokens: 10n,
          costNanoUsd: 2_800_000n,
          listNanoUsd: 3_000_000_000n,
          unknownCostAttempts: 1n,
        },
      ],
      nextPageToken: '',
      start: { seconds: BigInt(Date.UTC(2026, 10, 1) / 1_000) },
      end: { seconds: BigInt(NOW_MS / 1_000) },
    });
  });

  test('asks by all that can tell rows apart, of those alone that match', async () => {
    const usage = fakeUsage();
    await getUsage(usage, {
      groupBy: [
        BY_CALLER,
        { dimension: UsageDimension.LABEL, label: 'team' },
        { dimension: UsageDimension.SERVICE_TIER },
      ],
      filter: {
        caller: 'a',
        group: 'b',
        provider: 'c',
        target: 'd',
        model: 'e',
        serviceTier: 'f',
        labels: { team: '' },
      },
    });
    expect(usage.asked).toMatchObject([
      {
        keys: ['caller', 'label:team', 'service_tier'],
        filter: {
          equals: new Map([
            ['caller', 'a'],
            ['group', 'b'],
            ['provider', 'c'],
            ['target', 'd'],
            ['model', 'e'],
            ['service_tier', 'f'],
            ['label:team', ''],
          ]),
        },
      },
    ]);
  });

  test('is about the whole month that ends where the question does', async () => {
    const usage = fakeUsage();
    await getUsage(usage, { end: timestampFromMs(Date.UTC(2026, 10, 1)) });
    expect(usage.asked).toMatchObject([{ filter: { startMs: Date.UTC(2026, 9, 1), endMs: Date.UTC(2026, 10, 1) } }]);
  });

  test('counts an instant within a millisecond to the next one', async () => {
    const usage = fakeUsage();
    await getUsage(usage, { start: { seconds: 1n, nanos: 1 }, end: { seconds: 2n, nanos: 2_000_000 } });
    expect(usage.asked).toMatchObject([{ filter: { startMs: 1_001, endMs: 2_002 } }]);
  });

  test('names every field that is wrong', async () => {
    const usage = fakeUsage();
    const wrong = await errorOf(
      getUsage(usage, {
        start: timestampFromMs(NOW_MS + 1),
        groupBy: [
          {},
          { dimension: JSON.parse('99') },
          { dimension: UsageDimension.LABEL },
          { dimension: UsageDimension.CALLER, label: 'team' },
          BY_CALLER,
        ],
        filter: { caller: 'a\0', model: 'm'.repeat(2_000), labels: { '': 'x' } },
        pageSize: -1,
        pageToken: 'made up',
      }),
    );
    expect(violationsOf(wrong)).toEqual([
      'group_by',
      'group_by[0].dimension',
      'group_by[1].dimension',
      'group_by[2].label',
      'group_by[3].label',
      'filter.caller',
      'filter.model',
      'filter.labels[""]',
      'page_size',
      'page_token',
      'start',
    ]);
    expect(usage.asked).toEqual([]);
  });

  test.each([
    [{ groupBy: [BY_CALLER, BY_CALLER] }, ['group_by[1]']],
    [{ start: timestampFromMs(2), end: timestampFromMs(1) }, ['start']],
    [{ start: { seconds: 10n ** 15n } }, ['start']],
    [{ end: { seconds: 0n, nanos: -1 } }, ['end']],
  ])('refuses %o', async (request, fields) => {
    expect(violationsOf(await errorOf(getUsage(fakeUsage(), request)))).toEqual(fields);
  });

  test('is nothing, and no error, of an empty time', async () => {
    const instant = timestampFromMs(5);
    expect(await getUsage(fakeUsage(), { start: instant, end: instant })).toMatchObject({ rows: [] });
  });

  test('comes in pages, which all end where the first did', async () => {
    const usage = fakeUsage(['a', 'b', 'c'].map((caller) => usageSum([caller])));
    let nowMs = NOW_MS;
    const parts = { ...usage.parts, wall: () => (nowMs += 60_000) };
    const question = { groupBy: [BY_CALLER], pageSize: 2 };
    const first = await getUsage({ parts }, question);
    expect(first.rows?.map(({ key }) => key)).toEqual([['a'], ['b']]);
    const second = await getUsage({ parts }, { ...question, pageSize: 1, pageToken: first.nextPageToken ?? '' });
    expect(second).toMatchObject({ rows: [{ key: ['c'] }], nextPageToken: '', start: first.start, end: first.end });
    expect(usage.asked.at(-1)).toMatchObject({ after: ['b'], limit: 2 });
  });

  test('takes a page for no page of another question', async () => {
    const usage = fakeUsage(['a', 'b'].map((caller) => usageSum([caller])));
    const { nextPageToken: pageToken = '' } = await getUsage(usage, { groupBy: [BY_CALLER], pageSize: 1 });
    for (const other of [
      { groupBy: [{ dimension: UsageDimension.MODEL }] },
      { groupBy: [BY_CALLER], filter: { group: 'x' } },
      { groupBy: [BY_CALLER], start: timestampFromMs(1) },
    ]) {
      expect(violationsOf(await errorOf(getUsage(usage, { ...other, pageToken })))).toEqual(['page_token']);
    }
    const asked = getUsage(usage, { groupBy: [BY_CALLER], pageToken }, { audience: 'callers', caller: 'a' });
    expect(violationsOf(await errorOf(asked))).toEqual(['page_token']);
  });

  test('takes a page size above the largest for that', async () => {
    const usage = fakeUsage();
    await getUsage(usage, { pageSize: 2_000_000 });
    expect(usage.asked).toMatchObject([{ limit: 10_001 }]);
  });

  test('has no more rows on a page than a client with a limit of 4 MiB can read', async () => {
    const long = 'x'.repeat(250);
    const sums = Array.from({ length: 10_000 }, (_none, index) =>
      usageSum([`${String(index).padStart(5, '0')}${long}`]),
    );
    const usage = fakeUsage(sums);
    const question = { groupBy: [BY_CALLER], pageSize: 10_000 };
    const rows: string[] = [];
    for (let pageToken = ''; ;) {
      const page = await getUsage(usage, { ...question, pageToken });
      rows.push(...(page.rows ?? []).map(({ key }) => key?.[0] ?? ''));
      pageToken = page.nextPageToken ?? '';
      if (pageToken === '') break;
    }
    expect(rows).toEqual(sums.map(({ keys }) => keys[0]));
    expect(usage.asked.length).toBe(3);
  });
});

describe('a caller', () => {
  const asking = { audience: 'callers', caller: 'billing' } as const;

  test('is told its own usage alone', async () => {
    for (const filter of [{}, { caller: 'billing' }]) {
      const usage = fakeUsage();
      await getUsage(usage, { filter }, asking);
      expect(usage.asked).toMatchObject([{ filter: { equals: new Map([['caller', 'billing']]) } }]);
    }
  });

  test('that asks for another one is refused, and nothing is read', async () => {
    const usage = fakeUsage();
    const error = await errorOf(getUsage(usage, { filter: { caller: 'search' } }, asking));
    expect([error.code, reasonOf(error)]).toEqual([Code.PermissionDenied, 'USAGE_FORBIDDEN']);
    expect(usage.asked).toEqual([]);
  });

  test('is shown of a request the attempts that are its own', async () => {
    const usage = fakeUsage([], [usageRecord(), usageRecord({ callId: 'b', caller: 'search' })]);
    expect((await listAttempts(usage, 'request-1', asking)).attempts).toHaveLength(1);
    expect((await listAttempts(usage, 'request-1')).attempts).toHaveLength(2);
  });

  test('that is not known is told nothing', async () => {
    for (const audience of ['callers', 'nobody'] as const) {
      const usage = fakeUsage();
      const error = await errorOf(getUsage(usage, {}, { audience }));
      expect([error.code, reasonOf(error)]).toEqual([Code.PermissionDenied, 'USAGE_FORBIDDEN']);
      expect((await errorOf(listAttempts(usage, 'request-1', { audience }))).code).toBe(Code.PermissionDenied);
      expect(usage.asked).toEqual([]);
    }
  });
});

describe('ListAttempts', () => {
  test('has all that the ledger has of an attempt', async () => {
    const record = usageRecord({
      labels: { team: 'red' },
      firstOutputMs: 90,
      serviceTier: 'priority',
      isEstimated: true,
    });
    const { attempts = [] } = await listAttempts(fakeUsage([], [record]), 'request-1');
    expect(attempts).toMatchObject([
      {
        requestId: 'request-1',
        startedAt: timestampFromMs(record.startedAtMs),
        durationMs: 812.5,
        firstOutputMs: 90,
        method: 'Chat',
        caller: 'billing',
        group: 'backend',
        labels: { team: 'red' },
        number: 1,
        kind: 'FIRST',
        provider: 'openai',
        target: 'openai',
        model: 'gpt-6-sol',
        reportedModel: 'gpt-6-sol-2026-10-01',
        outcome: ErrorReason.UNSPECIFIED,
        httpStatus: 200,
        providerRequestId: 'req_1',
        usage: { inputTokens: 1_000, outputTokens: 100, source: UsageSource.ESTIMATED, serviceTier: 'priority' },
        cost: { nanoUsd: 2_800_000n, source: CostSource.EXACT, priceTableVersion: '2026-11-01' },
        listNanoUsd: 2_800_000n,
      },
    ]);
  });

  test('says of a failure why, and of what is not known nothing', async () => {
    const record = usageRecord({
      outcome: 'PROVIDER_TIMEOUT',
      inputTokens: undefined,
      outputTokens: undefined,
      serviceTier: '',
      costNanoUsd: undefined,
      costSource: 'UNKNOWN',
      listNanoUsd: undefined,
    });
    const { attempts = [] } = await listAttempts(fakeUsage([], [record]), 'request-1');
    expect(attempts[0]).toMatchObject({ outcome: ErrorReason.PROVIDER_TIMEOUT, cost: { source: CostSource.UNKNOWN } });
    expect([attempts[0]?.usage, attempts[0]?.cost?.nanoUsd, attempts[0]?.listNanoUsd]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test.each(['', 'ümläut', 'x'.repeat(129)])('refuses %j, which is no id of a request', async (requestId) => {
    expect(violationsOf(await errorOf(listAttempts(fakeUsage(), requestId)))).toEqual(['request_id']);
  });
});

describe('a ledger', () => {
  test('that is not there is a failed precondition that names the setting', async () => {
    const parts = { ...fakeUsage().parts, queries: undefined };
    for (const answer of [getUsage({ parts }), listAttempts({ parts }, 'request-1')]) {
      const error = await errorOf(answer);
      expect([error.code, reasonOf(error)]).toEqual([Code.FailedPrecondition, 'LEDGER_NOT_CONFIGURED']);
      expect(error.rawMessage).toContain('`ledger`');
    }
  });

  test('that does not answer is unavailable, without a word of the store', async () => {
    const gone = async (): Promise<never> => {
      throw new Error('connect ECONNREFUSED postgres://user:secret@db');
    };
    const usage = fakeUsage([], [], { sums: gone, attemptsOf: gone });
    for (const answer of [getUsage(usage), listAttempts(usage, 'request-1')]) {
      const error = await errorOf(answer);
      expect([error.code, reasonOf(error)]).toEqual([Code.Unavailable, 'LEDGER_UNAVAILABLE']);
      expect(error.rawMessage).not.toContain('secret');
    }
  });

  test('that takes its time does not hold a call whose caller has left', async () => {
    const usage = fakeUsage([], [], { sums: () => new Promise(() => undefined) });
    const left = new AbortController();
    const asked = errorOf(getUsage(usage, {}, { signal: left.signal }));
    left.abort(new ConnectError('left', Code.Canceled));
    expect((await asked).code).toBe(Code.Canceled);
  });
});
