import { describe, expect, test } from 'vitest';

import { isLoopback } from '../../../src/config/file/host-port.ts';
import { formatAddress, parseAddress } from '../../../src/core/address.ts';

describe('an address', () => {
  test.each([
    ['127.0.0.1:50051', '127.0.0.1', 50_051, true],
    ['127.8.9.10:1', '127.8.9.10', 1, true],
    ['localhost:0', 'localhost', 0, true],
    ['LOCALHOST:1', 'LOCALHOST', 1, true],
    ['[::1]:50051', '::1', 50_051, true],
    ['[::ffff:127.0.0.1]:1', '::ffff:127.0.0.1', 1, true],
    ['0.0.0.0:65535', '0.0.0.0', 65_535, false],
    ['[::]:8080', '::', 8_080, false],
    ['[::ffff:10.0.0.1]:1', '::ffff:10.0.0.1', 1, false],
    ['10.0.0.7:80', '10.0.0.7', 80, false],
    ['gateway.internal:80', 'gateway.internal', 80, false],
    ['127.0.0.1.example.com:80', '127.0.0.1.example.com', 80, false],
    ['localhost.example.com:80', 'localhost.example.com', 80, false],
  ])('%s is read, written as it was, and judged', (text, host, port, loopback) => {
    const address = parseAddress(text);
    expect(address).toEqual({ host, port });
    expect(address && formatAddress(address)).toBe(text);
    expect(address && isLoopback(address)).toBe(loopback);
  });

  test.each([
    '',
    '8080',
    ':8080',
    'localhost',
    'localhost:',
    'localhost:65536',
    'localhost:-1',
    '::1:50051',
    '[::1]',
    '[::1:50051',
    '[127.0.0.1]:1',
    '[:::]:1',
    'http://localhost:80',
    'a b:80',
    'localhost:80 ',
    'localhost:80/x',
  ])('%j is refused', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });
});
