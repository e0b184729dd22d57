import { describe, expect, it } from 'vitest';
import { openai } from '../../../../src/providers/openai.ts';
import { DIALECTS, refused } from '../../../support/error-envelopes.ts';

const chat = openai('chat_completions');

function waitOf(status: number, body: unknown, headers = {}): number | undefined {
  return refused(chat, status, typeof body === 'string' ? body : JSON.stringify(body), headers).retryAfterMs;
}

function said(message: string) {
  return { error: { message } };
}

describe('a wait in the body of an error', () => {
  it.each([
    ['Please try again in 55 seconds.', 55_000],
    ['Please retry in 45.837906927s.', 45_838],
    ['Rate limit reached. Please try again in 7m12s. Visit the page.', 432_000],
    ['Your quota will reset after 1m2.5s.', 62_500],
    ['Please try again in 1h5m.', 3_600_000],
    ['Please retry after 60', 60_000],
    ['Please retry after 55 seconds. Write to us for more.', 55_000],
    ['Please wait for 30 s', 30_000],
    ['Please wait 34 seconds before retrying.', 34_000],
    ['Try again in 250ms', 250],
    ['Retry in 1 minute and 5 seconds', 65_000],
    ['Limit resets in 2 hours', 3_600_000],
    ['Out of call volume quota. Quota will be replenished in 00:12:45.', 765_000],
    ['Quota will be replenished in 1.02:03:04.', 3_600_000],
    ['Try again at 12:00:00.', undefined],
    ['Try again after 12:00:00.', undefined],
    ['Limit of 500 requests per 60 seconds', undefined],
    ['Please try again later.', undefined],
    ['Please retry after 2026-11-30', undefined],
    ['Try again. 55 seconds is a long time', undefined],
  ])('stands in "%s"', (message, waitMs) => {
    expect(waitOf(429, said(message))).toBe(waitMs);
  });

  it.each([
    [[{ error: { details: [{ '@type': 'x/google.rpc.RetryInfo', retryDelay: '45.8s' }] } }], 45_800],
    [{ error: { details: [{ retryDelay: { seconds: '3', nanos: 500_000_000 } }] } }, 3_500],
    [{ error: { message: 'x', retry_after: 12 } }, 12_000],
    [{ error: { message: 'x' }, retry_after: '12' }, 12_000],
    [{ error: { message: 'x' }, retryAfterMs: 1_200 }, 1_200],
    [{ error: { type: 'usage_limit_reached', resets_in_seconds: 90 } }, 90_000],
    [{ error: { metadata: { reset_seconds: 7 } } }, 7_000],
    [{ error: { metadata: { quotaResetDelay: '1m2.5s' } } }, 62_500],
    [{ error: { metadata: { headers: { 'X-RateLimit-Reset': String(Date.parse('2026-11-29T12:00:20Z')) } } } }, 20_000],
    [{ error: { resets_at: Date.parse('2026-11-29T12:01:00Z') / 1_000 } }, 60_000],
    [{ error: { reset_at: '2026-11-29T12:00:05Z' } }, 5_000],
    [{ error: { retry_after: -1 } }, undefined],
    [{ error: { retry_after: 'soon' } }, undefined],
    [{ error: { retry_after: 1e9 } }, 3_600_000],
    [{ detail: { msg: 'slow down', retry_after: 4 } }, 4_000],
  ])('stands in %j', (body, waitMs) => {
    expect(waitOf(429, body)).toBe(waitMs);
  });

  it('counts behind what headers say of it, and before what they say of limits', () => {
    const body = said('Please try again in 9 s');
    expect(waitOf(429, body, { 'retry-after': '2' })).toBe(2_000);
    const refill = { 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '30s' };
    expect(waitOf(429, body, refill)).toBe(9_000);
  });

  it('is one of overloads too, and of nothing that no waiting cures', () => {
    expect(waitOf(503, said('Try again in 9 s'))).toBe(9_000);
    expect(waitOf(529, said('Try again in 9 s'))).toBe(9_000);
    expect(waitOf(400, said('Try again in 9 s'))).toBeUndefined();
    expect(waitOf(401, said('Try again in 9 s'))).toBeUndefined();
    expect(waitOf(403, said('Out of call volume quota. It will be replenished in 00:00:09.'))).toBe(9_000);
  });

  it('is read by all dialects, inside answers as well', () => {
    const body = JSON.stringify({ type: 'error', error: { type: 'rate_limit_error', message: 'Try again in 9 s' } });
    for (const [name, adapter] of DIALECTS) {
      expect([name, refused(adapter, 429, body).retryAfterMs]).toEqual([name, 9_000]);
      const event = { name: 'error', data: body };
      expect([name, adapter.events()(event)]).toMatchObject([
        name,
        [{ failure: { class: 'rate_limit', retryAfterMs: 9_000 } }],
      ]);
    }
  });
});

describe('a reset in the headers of a 429', () => {
  it.each([
    [{ 'x-rate-limit-reset-tokens': '55' }, 55_000],
    [{ 'x-ratelimit-reset': '12', 'x-ratelimit-remaining': '0' }, 12_000],
    [{ 'x-ratelimit-reset': String(Date.parse('2026-11-29T12:00:20Z') / 1_000) }, 20_000],
    [{ 'x-ratelimit-reset': String(Date.parse('2026-11-29T12:00:20Z')) }, 20_000],
    [{ 'ratelimit-reset': '7', 'ratelimit-remaining': '0' }, 7_000],
    [{ 'ratelimit-reset': '7', 'ratelimit-remaining': '3' }, undefined],
    [{ 'x-ratelimit-reset-tokens-minute': '12.5', 'x-ratelimit-remaining-tokens-minute': '0' }, 12_500],
    [{ 'x-ratelimit-reset-requests': '55' }, undefined],
  ])('is that of %j', (headers, waitMs) => {
    expect(waitOf(429, said('slow down'), headers)).toBe(waitMs);
  });
});
