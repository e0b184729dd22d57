import { describe, expect, test } from 'vitest';

import { parseDuration } from '../../../src/config/file/duration.ts';

describe('a duration', () => {
  test.each([
    ['1ms', 1],
    ['250ms', 250],
    ['60s', 60_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['24h', 86_400_000],
    ['86400s', 86_400_000],
  ])('%s is %i ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each([
    '0s',
    '-1s',
    '1',
    '1.5s',
    '1 s',
    ' 1s',
    '1s ',
    '1d',
    '60S',
    '',
    's',
    '25h',
    '86401s',
    '1e3s',
    '01s',
    '1s\n',
  ])('%j is refused', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});
