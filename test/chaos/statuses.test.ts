import { describe, expect, test } from 'vitest';
import { durationMs } from '@bufbuild/protobuf/wkt';

import { chaosStage, OTHER } from '../support/chaos-stage.ts';
import type { ChaosStep } from '../support/chaos-upstream.ts';
import { head, respond, send } from '../support/chaos-upstream.ts';
import { errorAnswer } from '../support/openai-bodies.ts';
import { createVirtualSystem } from '../support/virtual-system.ts';
import { askIn } from '../support/ways.ts';

const WAYS = ['Chat', 'StreamChat with RESTART'] as const;
const UNTIL_GONE: ChaosStep = { do: 'await_close' };

const NEXT = [
  { status: 401, outcome: 'PROVIDER_AUTH_FAILED', suspended: 'auth' },
  { status: 402, outcome: 'PROVIDER_QUOTA_EXHAUSTED', suspended: 'quota' },
  { status: 403, outcome: 'PROVIDER_AUTH_FAILED', suspended: 'auth' },
  { status: 404, outcome: 'PROVIDER_MODEL_NOT_FOUND', suspended: 'not_found' },
  { status: 418, outcome: 'PROVIDER_PROTOCOL_ERROR', failures: 1 },
  { status: 429, outcome: 'PROVIDER_RATE_LIMITED' },
  { status: 408, outcome: 'PROVIDER_UNAVAILABLE', calls: 2, failures: 2 },
  { status: 409, outcome: 'PROVIDER_UNAVAILABLE', calls: 2 },
  { status: 425, outcome: 'PROVIDER_UNAVAILABLE', calls: 2 },
  ...[500, 502, 503, 504, 520, 522, 524, 529, 599].map((status) => ({
    status,
    outcome: 'PROVIDER_UNAVAILABLE',
    calls: 2,
    failures: 2,
  })),
];

const BODIES: readonly { readonly name: string; readonly answer: (status: number) => readonly ChaosStep[] }[] = [
  { name: 'an error in the form of its API', answer: (status) => errorAnswer(status, null) },
  { name: 'HTML', answer: (status) => [respond(status, 'text/html', '<html><h1>Sorry</h1></html>')] },
  { name: 'nothing', answer: (status) => [head(status, { 'content-length': 0 })] },
  {
    name: 'half a JSON document and a reset',
    answer: (status) => [head(status, { 'content-length': 99 }), send('{"error": {"mess'), { do: 'reset' }],
  },
  { name: 'a list', answer: (status) => [respond(status, 'application/json', '[{"error": 1}]')] },
  {
    name: 'bytes that are not UTF-8',
    answer: (status) => [respond(status, 'application/json', Uint8Array.of(0xff, 0xfe, 0))],
  },
  { name: 'a megabyte', answer: (status) => [respond(status, 'text/plain', 'x'.repeat(1024 * 1024))] },
];

describe.each(WAYS)('%s: a status goes by its number', (way) => {
  test.each(NEXT)(
    '$status: $outcome, then the second target',
    async ({ status, outcome, suspended = '', calls = 1, failures = 0 }) => {
      const { lead, gateway, leadHealth } = await chaosStage();
      for (let count = 0; count < calls; count += 1) lead.script(...errorAnswer(status, null));
      const { trail, delivered, attempts } = await askIn(gateway, way);
      const again = calls === 2 ? [`RETRY lead ${outcome}`] : [];
      expect(trail).toEqual([`FIRST lead ${outcome}`, ...again, 'FAILOVER second OK']);
      expect(delivered).toBe(OTHER);
      expect(attempts[0]?.httpStatus).toBe(status);
      expect(lead.requestCount).toBe(calls);
      expect(await leadHealth()).toMatchObject({ failures: BigInt(failures), suspendedReason: suspended });
    },
  );

  test.each([400, 422])('%i of a server that is not the provider’s own is passed on', async (status) => {
    const { lead, gateway, leadHealth } = await chaosStage();
    lead.script(...errorAnswer(status, null));
    const { trail, delivered } = await askIn(gateway, way);
    expect(trail).toEqual(['FIRST lead INVALID_REQUEST', 'FAILOVER second OK']);
    expect(delivered).toBe(OTHER);
    expect(lead.requestCount).toBe(1);
    expect(await leadHealth()).toMatchObject({ failures: 0n, suspendedReason: '', healthy: true });
  });

  test.each([405, 413])('%i ends the chain', async (status) => {
    const { lead, second, gateway, leadHealth } = await chaosStage();
    lead.script(...errorAnswer(status, null));
    const { trail, error } = await askIn(gateway, way);
    expect(trail).toEqual(['FIRST lead INVALID_REQUEST']);
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST', pushback: '-1' });
    expect(second.connectionCount).toBe(0);
    expect((await leadHealth()).failures).toBe(0n);
  });

  test.each(BODIES)('also with $name as its body', async ({ answer }) => {
    const { lead, gateway } = await chaosStage();
    lead.script(...answer(503));
    lead.script(...answer(503));
    const { trail, delivered, attempts } = await askIn(gateway, way);
    const outcome = 'PROVIDER_UNAVAILABLE';
    expect(trail).toEqual([`FIRST lead ${outcome}`, `RETRY lead ${outcome}`, 'FAILOVER second OK']);
    expect([delivered, attempts[0]?.httpStatus]).toEqual([OTHER, 503]);
  });

  test('also where its body never ends', async () => {
    const system = createVirtualSystem();
    const { lead, gateway } = await chaosStage({}, {}, system);
    lead.script(head(401, { 'content-length': 99 }), send('{"error"'), UNTIL_GONE);
    const asked = askIn(gateway, way);
    await system.timerOf(5_000);
    await system.advance(5_000);
    const { trail, delivered } = await asked;
    expect([trail, delivered]).toEqual([['FIRST lead PROVIDER_AUTH_FAILED', 'FAILOVER second OK'], OTHER]);
    await lead.allClosed();
  });
});

/** Written on the day on which the virtual clock stands, so that a date in the answer decides and not our own. */
const DATE = 'Sun, 22 Nov 2026 12:00:00 GMT';
const HOUR_MS = 3_600_000;
const USED_UP = { 'x-ratelimit-limit-requests': '500', 'x-ratelimit-remaining-requests': '0' };

const HINTS: readonly { readonly headers: Readonly<Record<string, string>>; readonly ms: number }[] = [
  { headers: { 'retry-after': '20' }, ms: 20_000 },
  { headers: { 'retry-after': '2.5' }, ms: 2_500 },
  { headers: { 'retry-after': ' 20 ' }, ms: 20_000 },
  { headers: { 'retry-after': '1000000000000' }, ms: HOUR_MS },
  { headers: { 'retry-after': '9'.repeat(400) }, ms: HOUR_MS },
  { headers: { 'retry-after': 'Sun, 22 Nov 2026 12:00:30 GMT', date: DATE }, ms: 30_000 },
  { headers: { 'retry-after-ms': '2500' }, ms: 2_500 },
  { headers: { 'retry-after-ms': '0', 'retry-after': '3' }, ms: 3_000 },
  { headers: { 'retry-after-ms': 'NaN', 'retry-after': '3' }, ms: 3_000 },
  { headers: { ...USED_UP, 'x-ratelimit-reset-requests': '6m0s' }, ms: 360_000 },
  { headers: { ...USED_UP, 'x-ratelimit-reset-requests': '1h2m3.5s' }, ms: HOUR_MS },
  // What cannot be read is passed over: a second, as where nothing is said.
  { headers: { 'retry-after': '-5' }, ms: 1_000 },
  { headers: { 'retry-after': 'soon' }, ms: 1_000 },
  { headers: { 'retry-after': '' }, ms: 1_000 },
  { headers: { 'retry-after': '1e3' }, ms: 1_000 },
  { headers: { 'retry-after': '20, 30' }, ms: 1_000 },
  { headers: { 'retry-after': 'Sun, 31 Feb 2026 12:00:00 GMT' }, ms: 1_000 },
  { headers: { 'x-ratelimit-remaining-requests': '-1', 'x-ratelimit-reset-requests': '-1' }, ms: 1_000 },
  { headers: { ...USED_UP, 'x-ratelimit-reset-requests': '2026-11-22T12:00:30Z' }, ms: 1_000 },
];

describe('a rate limit', () => {
  test.each(HINTS)(
    'with $headers holds calls back for $ms ms, and the second target answers at once',
    async ({ headers, ms }) => {
      const system = createVirtualSystem();
      const { lead, gateway, leadHealth } = await chaosStage({}, {}, system);
      lead.script(...errorAnswer(429, 'rate_limit_exceeded', headers));
      const { trail } = await askIn(gateway, 'StreamChat');
      expect(trail).toEqual(['FIRST lead PROVIDER_RATE_LIMITED', 'FAILOVER second OK']);
      const { rateLimitedFor, suspendedReason, failures } = await leadHealth();
      if (rateLimitedFor === undefined) throw new Error('the lead is not held back');
      // A little more, so that not all callers come back at once (engine rule R4).
      expect(durationMs(rateLimitedFor)).toBeGreaterThanOrEqual(ms);
      expect(durationMs(rateLimitedFor)).toBeLessThanOrEqual(ms + Math.min(ms / 10, 1_000) + 1);
      expect([suspendedReason, failures]).toEqual(['', 0n]);
    },
  );

  test('of Anthropic names the instant of its refill', async () => {
    const system = createVirtualSystem();
    const { lead, gateway, leadHealth } = await chaosStage(
      { provider: 'anthropic', model: 'claude-sonnet-5-5' },
      {},
      system,
    );
    const limits = {
      'anthropic-ratelimit-requests-remaining': '0',
      'anthropic-ratelimit-requests-reset': '2026-11-22T12:00:45Z',
    };
    lead.script(...errorAnswer(429, null, { date: DATE, ...limits }));
    await askIn(gateway, 'Chat');
    expect((await leadHealth()).rateLimitedFor?.seconds).toBeGreaterThanOrEqual(45n);
  });

  test.each([429, 503])('%i with a date that is past is asked once more at once', async (status) => {
    const { lead, gateway } = await chaosStage();
    const past = errorAnswer(status, null, { 'retry-after': 'Sun, 22 Nov 2026 11:59:00 GMT', date: DATE });
    lead.script(...past);
    lead.script(...past);
    const { trail } = await askIn(gateway, 'Chat');
    expect(trail).toHaveLength(3);
    expect(lead.requestCount).toBe(2);
  });

  test('a 503 that names a long time is not repeated on the same target', async () => {
    const { lead, gateway, leadHealth } = await chaosStage();
    lead.script(...errorAnswer(503, null, { 'retry-after': '20' }));
    const { trail } = await askIn(gateway, 'Chat');
    expect(trail).toEqual(['FIRST lead PROVIDER_UNAVAILABLE', 'FAILOVER second OK']);
    expect((await leadHealth()).rateLimitedFor).toBeDefined();
  });

  test('with x-should-retry: false is not repeated on the same target', async () => {
    const { lead, gateway } = await chaosStage();
    lead.script(...errorAnswer(500, null, { 'x-should-retry': 'false' }));
    const { trail } = await askIn(gateway, 'Chat');
    expect(trail).toEqual(['FIRST lead PROVIDER_UNAVAILABLE', 'FAILOVER second OK']);
    expect(lead.requestCount).toBe(1);
  });
});
