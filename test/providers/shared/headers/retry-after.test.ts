import { describe, expect, it } from 'vitest';
import { errorHeaders } from '../../../../src/providers/shared/headers/retry-after.ts';

/** Sun, 22 Nov 2026 12:00:00 GMT */
const WALL_MS = 1_795_348_800_000;

function read(headers: Readonly<Record<string, string>>, status = 429) {
  return errorHeaders({ status, headers, wallMs: WALL_MS });
}

describe('the headers of an error', () => {
  it.each([
    ['seconds', { 'retry-after': '20' }, 20_000],
    ['fractions of a second', { 'retry-after': '0.25' }, 250],
    ['milliseconds', { 'retry-after-ms': '1500' }, 1_500],
    ['the larger of both, as Azure sends 0 ms beside 1 s', { 'retry-after-ms': '0', 'retry-after': '1' }, 1_000],
    ['the larger of both the other way round', { 'retry-after-ms': '2500', 'retry-after': '1' }, 2_500],
    ['a date', { 'retry-after': 'Sun, 22 Nov 2026 12:01:30 GMT' }, 90_000],
    ['a date across new year', { 'retry-after': 'Fri, 01 Jan 2027 00:00:00 GMT' }, 3_600_000],
    ['a date that is past', { 'retry-after': 'Sun, 22 Nov 2026 11:00:00 GMT' }, 0],
    ['an hour at most', { 'retry-after': '86400' }, 3_600_000],
    ['a used-up limit, refilled after a duration', remaining('tokens', '0', '6m0s'), 360_000],
    ['a used-up limit, refilled after milliseconds', remaining('requests', '0', '12ms'), 12],
    ['a used-up limit, refilled after seconds, as Azure counts', remaining('requests', '0', '10'), 10_000],
  ])('ask to wait: %s', (_, headers, expected) => {
    expect(read(headers).retryAfterMs).toBe(expected);
  });

  it.each([
    ['negative', { 'retry-after': '-1' }],
    ['no number', { 'retry-after': 'soon' }],
    ['an unknown month', { 'retry-after': 'Sun, 22 Foo 2026 12:01:30 GMT' }],
    ['a limit that is not used up', remaining('tokens', '5', '6m0s')],
    ['a refill that is unknown', remaining('tokens', '0', '-1')],
    ['a refill that is over, beside a limit that is still used up', remaining('tokens', '0', '0')],
    ['a refill in an unknown unit', remaining('tokens', '0', '3 days')],
  ])('ask nothing that is %s', (_, headers) => {
    expect(read(headers)).toEqual({});
  });

  it('tell of a used-up limit only where the rate is limited', () => {
    expect(read(remaining('tokens', '0', '1s'), 500)).toEqual({});
  });

  it.each([
    [0, 'Thu, 01 Jan 1970 00:00:01 GMT', 1_000],
    [951_782_400_000, 'Tue, 29 Feb 2000 00:00:01 GMT', 1_000],
    [1_709_251_199_000, 'Fri, 01 Mar 2024 00:00:00 GMT', 1_000],
  ])('reckon dates from %i', (wallMs, date, expected) => {
    expect(errorHeaders({ status: 503, headers: { 'retry-after': date }, wallMs }).retryAfterMs).toBe(expected);
  });

  it('say whether a repeat is of no use', () => {
    expect(read({ 'x-should-retry': 'false' })).toEqual({ repeatIsUseless: true });
    expect(read({ 'x-should-retry': 'true' })).toEqual({});
  });

  it('reckon instants from the date of the answer, whatever our own clock says', () => {
    const headers = { date: 'Sun, 22 Nov 2026 12:00:00 GMT', 'retry-after': 'Sun, 22 Nov 2026 12:00:07 GMT' };
    for (const wallMs of [0, WALL_MS - 3_600_000, WALL_MS + 3_600_000]) {
      expect(errorHeaders({ status: 429, headers, wallMs }).retryAfterMs).toBe(7_000);
    }
  });
});

describe('the limits of Anthropic', () => {
  it.each(['requests', 'tokens', 'input-tokens', 'output-tokens'])(
    'ask to wait until used-up %s refill',
    (dimension) => {
      expect(read(anthropicLimit(dimension, '0', '2026-11-22T12:00:30Z'))).toEqual({ retryAfterMs: 30_000 });
    },
  );

  it.each([
    ['fractions of a second', '2026-11-22T12:00:00.250Z', 250],
    ['an offset to the east', '2026-11-22T13:30:20+01:30', 20_000],
    ['an offset to the west', '2026-11-22T07:00:20-05:00', 20_000],
    ['an hour at most', '2026-11-23T12:00:00Z', 3_600_000],
  ])('are read with %s', (_, reset, expected) => {
    expect(read(anthropicLimit('tokens', '0', reset)).retryAfterMs).toBe(expected);
  });

  it('are reckoned from the date of the answer', () => {
    const headers = { ...anthropicLimit('tokens', '0', '2026-11-22T12:00:30Z'), date: 'Sun, 22 Nov 2026 12:00:20 GMT' };
    expect(errorHeaders({ status: 429, headers, wallMs: 0 }).retryAfterMs).toBe(10_000);
  });

  it('give the longest wait of those that are used up, and less than a hint of the provider', () => {
    const headers = {
      ...anthropicLimit('requests', '0', '2026-11-22T12:00:01Z'),
      ...anthropicLimit('input-tokens', '0', '2026-11-22T12:00:09Z'),
      ...anthropicLimit('output-tokens', '4000', '2026-11-22T12:00:59Z'),
    };
    expect(read(headers).retryAfterMs).toBe(9_000);
    expect(read({ ...headers, 'retry-after': '2' }).retryAfterMs).toBe(2_000);
  });

  it.each([
    ['a limit that is not used up', anthropicLimit('tokens', '1', '2026-11-22T12:00:30Z')],
    ['an instant that is past', anthropicLimit('tokens', '0', '2026-11-22T11:59:59Z')],
    ['no instant', anthropicLimit('tokens', '0', '30s')],
    ['a day that is none', anthropicLimit('tokens', '0', '2026-02-30T12:00:30Z')],
    ['an hour that is none', anthropicLimit('tokens', '0', '2026-11-22T25:00:30Z')],
    ['a limit without its instant', { 'anthropic-ratelimit-tokens-remaining': '0' }],
  ])('ask nothing by %s', (_, headers) => {
    expect(read(headers)).toEqual({});
  });
});

function anthropicLimit(dimension: string, left: string, reset: string): Readonly<Record<string, string>> {
  const prefix = `anthropic-ratelimit-${dimension}`;
  return { [`${prefix}-limit`]: '4000', [`${prefix}-remaining`]: left, [`${prefix}-reset`]: reset };
}

function remaining(dimension: string, left: string, reset: string): Readonly<Record<string, string>> {
  return { [`x-ratelimit-remaining-${dimension}`]: left, [`x-ratelimit-reset-${dimension}`]: reset };
}
