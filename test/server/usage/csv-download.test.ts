import { get } from 'node:http';
import { once } from 'node:events';

import { describe, expect, onTestFinished, test } from 'vitest';

import type { UsageRecord } from '../../../src/ledger/port/usage-record.ts';
import { openAdmin } from '../../../src/server/admin/operator-door.ts';
import type { UsageParts } from '../../../src/server/port/usage-parts.ts';
import { system } from '../../../src/system.ts';
import { usageRecord } from '../../support/usage-records.ts';
import { fakeUsage, NOW_MS, usageSum } from '../support/fake-usage.ts';

async function adminOf(usage: UsageParts): Promise<string> {
  const admin = await openAdmin({ address: '127.0.0.1:0', isReady: () => true, runtime: system, usage });
  onTestFinished(() => admin.close());
  return `http://${admin.address}`;
}

async function read(url: string, init?: RequestInit) {
  const response = await fetch(url, init);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const HEADING =
  'requests,attempts,input_tokens,cached_input_tokens,output_tokens,reasoning_tokens,cost_usd,cost_nano_usd,list_usd,list_nano_usd,unknown_cost_attempts';

describe('/usage.csv', () => {
  test('has a row for each sum, money as decimal and as billionths', async () => {
    const usage = fakeUsage([usageSum(['billing', '2026-11-01T00:00:00Z']), usageSum(['=cmd()', 'a,"b"'])]);
    const answer = await read(`${await adminOf(usage.parts)}/usage.csv?group_by=caller,label:cost%20centre`);
    expect(answer).toMatchObject({
      status: 200,
      text: [
        `caller,label:cost centre,${HEADING}`,
        'billing,2026-11-01T00:00:00Z,2,3,1000,400,100,10,0.0028,2800000,3,3000000000,1',
        `'=cmd(),"a,""b""",2,3,1000,400,100,10,0.0028,2800000,3,3000000000,1`,
        '',
      ].join('\r\n'),
    });
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(answer.headers.get('content-disposition')).toBe('attachment; filename="understudy-usage.csv"');
  });

  test('asks for what the query says', async () => {
    const usage = fakeUsage();
    const query = 'start=2026-10&end=2026-11-01T01:00:00%2B01:00&group_by=day&caller=a&service_tier=flex&label:team=x';
    expect(await read(`${await adminOf(usage.parts)}/usage.csv?${query}`)).toMatchObject({ status: 200 });
    expect(usage.asked).toMatchObject([
      {
        filter: {
          startMs: Date.UTC(2026, 9, 1),
          endMs: Date.UTC(2026, 10, 1),
          equals: new Map([
            ['caller', 'a'],
            ['service_tier', 'flex'],
            ['label:team', 'x'],
          ]),
        },
        keys: ['day'],
      },
    ]);
  });

  test('reads an offset whose plus was not encoded', async () => {
    const usage = fakeUsage();
    await read(`${await adminOf(usage.parts)}/usage.csv?start=2026-11-01T01:00:00+01:00`);
    expect(usage.asked).toMatchObject([{ filter: { startMs: Date.UTC(2026, 10, 1), endMs: NOW_MS } }]);
  });

  test('passes over all pages of many sums', async () => {
    const sums = Array.from({ length: 20_001 }, (_none, index) => usageSum([String(index).padStart(5, '0')]));
    const usage = fakeUsage(sums);
    const { text } = await read(`${await adminOf(usage.parts)}/usage.csv?group_by=caller`);
    expect(text.split('\r\n')).toHaveLength(20_003);
    expect(usage.asked).toHaveLength(3);
  });

  test.each([
    ['start=yesterday', 'start must be a time'],
    ['start=2026-11&end=2026-10', 'start must not be behind the end'],
    ['group_by=colour', 'group_by[0].dimension must be one of caller, group'],
    ['group_by=caller,caller', 'group_by[1] is there before'],
    ['group_by=a,b,c,d,e', 'group_by must have at most 4'],
    ['caller=a&caller=b', 'caller is there twice'],
    ['color=a', 'color is no parameter'],
    ['caller=a%00', 'filter.caller must not contain U+0000'],
  ])('refuses %s', async (query, words) => {
    const answer = await read(`${await adminOf(fakeUsage().parts)}/usage.csv?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(words);
  });
});

describe('/attempts.csv', () => {
  test('has a row for each attempt with all that the ledger has', async () => {
    const { parts } = fakeUsage(
      [],
      [usageRecord({ labels: { team: 'r,d' }, isEstimated: true, costNanoUsd: undefined })],
    );
    const { text } = await read(`${await adminOf(parts)}/attempts.csv`);
    const [heading = '', row = ''] = text.split('\r\n');
    expect(heading.split(',').slice(0, 5)).toEqual(['started_at', 'request_id', 'method', 'caller', 'group']);
    expect(row).toBe(
      '2026-11-30T14:05:00.000Z,request-1,Chat,billing,backend,1,FIRST,openai,openai,gpt-6-sol,gpt-6-sol-2026-10-01,default,OK,' +
        '200,req_1,812.5,,1000,0,,100,10,true,,,EXACT,0.0028,2800000,2026-11-01,"{""team"":""r,d""}"',
    );
  });

  test('knows nothing to tell rows apart by', async () => {
    expect(await read(`${await adminOf(fakeUsage().parts)}/attempts.csv?group_by=caller`)).toMatchObject({
      status: 400,
    });
  });

  test('is broken off where the ledger goes away in the middle, so that nobody takes it for the whole', async () => {
    const { parts } = fakeUsage([], [], {
      async *records() {
        yield [usageRecord()];
        throw new Error('gone');
      },
    });
    await expect(read(`${await adminOf(parts)}/attempts.csv`)).rejects.toThrow(TypeError);
  });

  test('is read from the ledger no faster than it is read here, and no longer', async () => {
    let pages = 0;
    const ended = Promise.withResolvers<void>();
    const many: readonly UsageRecord[] = Array.from({ length: 1_000 }, () => usageRecord());
    const { parts } = fakeUsage([], [], {
      async *records() {
        try {
          for (; pages < 10_000; pages += 1) yield many;
        } finally {
          ended.resolve();
        }
      },
    });
    const request = get(`${await adminOf(parts)}/attempts.csv`);
    const [response] = await once(request, 'response');
    response.pause();
    // All that the sockets hold is on its way when another answer has come.
    await read(`${await adminOf(fakeUsage().parts)}/usage.csv`);
    expect(pages).toBeLessThan(1_000);
    request.destroy();
    await ended.promise;
  });
});

describe('both', () => {
  test('say what is missing where there is no ledger, and that it is gone where it is', async () => {
    const none = await adminOf({ ...fakeUsage().parts, queries: undefined });
    const gone = await adminOf(fakeUsage([], [], { sums: () => Promise.reject(new Error('secret')) }).parts);
    expect(await read(`${none}/usage.csv`)).toMatchObject({ status: 400, text: expect.stringContaining('`ledger`') });
    const answer = await read(`${gone}/usage.csv`);
    expect(answer.status).toBe(503);
    expect(answer.text).toMatch(/^LEDGER_UNAVAILABLE: /);
    expect(answer.text).not.toContain('secret');
  });

  test('are only read, and not by pages of the web', async () => {
    const admin = await adminOf(fakeUsage([usageSum([])]).parts);
    expect(await read(`${admin}/usage.csv`, { method: 'POST' })).toMatchObject({ status: 405 });
    expect(await read(`${admin}/usage.csv`, { headers: { origin: 'http://evil.example' } })).toMatchObject({
      status: 403,
    });
    expect(await read(`${admin}/usage.csv`, { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
  });
});
