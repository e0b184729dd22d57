import { describe, expect, test } from 'vitest';
import {
  chooseRequestId,
  clampConnectTimeout,
  clampGrpcTimeout,
  clampTimeoutHeaders,
  grpcTimeoutMs,
  truncateUtf8,
} from '../../../src/server/port/limits.ts';

describe('deadlines', () => {
  test.each([
    ['1S', '1S'],
    ['596H', '596H'],
    ['597H', '2147483S'],
    ['99999999H', '2147483S'],
    ['35792M', '2147483S'],
    ['2147483648m', '2147483648m'],
    ['5 S', '5 S'],
    ['in 1000H', 'in 1000H'],
    ['99999999n', '99999999n'],
    ['', ''],
    ['soon', 'soon'],
    ['-1S', '-1S'],
  ])('grpc-timeout %s becomes %s', (value, expected) => {
    expect(clampGrpcTimeout(value)).toBe(expected);
  });

  test.each([
    ['1000', '1000'],
    ['2147483647', '2147483647'],
    ['2147483648', '2147483647'],
    ['9999999999', '2147483647'],
    ['99999999999', '99999999999'],
    ['soon', 'soon'],
  ])('connect-timeout-ms %s becomes %s', (value, expected) => {
    expect(clampConnectTimeout(value)).toBe(expected);
  });

  test.each([
    ['1S', 1000],
    ['2H', 7_200_000],
    ['3M', 180_000],
    ['0m', 0],
    ['99999999u', 99_999.999],
    ['5000000n', 5],
    ['123456789S', undefined],
    ['1 S', undefined],
    ['1s', undefined],
    ['', undefined],
    ['-1S', undefined],
  ])('grpc-timeout %s is %s ms', (value, expected) => {
    expect(grpcTimeoutMs(value)).toBe(expected);
  });

  test('headers are changed in place, and only those two', () => {
    const headers = { 'grpc-timeout': '1000H', 'connect-timeout-ms': '9999999999', other: '1000H' };
    clampTimeoutHeaders(headers);
    expect(headers).toEqual({ 'grpc-timeout': '2147483S', 'connect-timeout-ms': '2147483647', other: '1000H' });
  });
});

test('the id of a request is the field, else the header, else made; a bad one is passed over', () => {
  const make = (): string => 'made';
  expect(chooseRequestId('field', 'header', make)).toBe('field');
  expect(chooseRequestId('', 'header', make)).toBe('header');
  expect(chooseRequestId('a\nb', 'header', make)).toBe('header');
  expect(chooseRequestId('', 'é', make)).toBe('made');
  expect(chooseRequestId('', 'a'.repeat(129), make)).toBe('made');
  expect(chooseRequestId('', null, make)).toBe('made');
});

test('text is cut between characters, and lone surrogates are mended', () => {
  expect(truncateUtf8('a€€', 4)).toBe('a€');
  expect(truncateUtf8('a€€', 5)).toBe('a€');
  expect(truncateUtf8('abc', 3)).toBe('abc');
  expect(truncateUtf8('a\ud800', 10)).toBe('a\ufffd');
});
