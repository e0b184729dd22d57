import { expect, test } from 'vitest';
import { hostName, KnownHosts } from '../../../src/server/http/known-hosts.ts';

test.each([
  ['localhost:8080', 'localhost'],
  ['LocalHost', 'localhost'],
  ['127.0.0.1', '127.0.0.1'],
  ['[::1]:8080', '::1'],
  ['[::1]', '::1'],
  ['gateway.internal:', 'gateway.internal'],
  ['::1', undefined],
  ['[', undefined],
  ['a:b:c', undefined],
  ['a@127.0.0.1', undefined],
  ['127.0.0.1/', undefined],
  ['', undefined],
])('the host of %j is %j', (authority, expected) => {
  expect(hostName(authority)).toBe(expected);
});

test.each([
  [
    '127.0.0.1:8080',
    ['localhost', '127.0.0.1', '::1', '127.1.2.3', 'proxy.internal'],
    ['evil.example', 'localhost.', '10.0.0.1', '127.evil.example'],
  ],
  ['127.0.0.5:8080', ['127.0.0.5'], ['evil.example']],
  ['[::1]:8080', ['localhost', '::1', 'proxy.internal'], ['evil.example']],
  ['localhost:8080', ['localhost', '127.0.0.1'], ['evil.example']],
  ['0.0.0.0:8080', ['localhost', 'evil.example', '10.0.0.1', 'proxy.internal'], []],
])('on %s the hosts %j are answered, and not %j', (address, known, foreign) => {
  const hosts = new KnownHosts(address, ['Proxy.internal']);
  expect(known.filter((name) => hosts.accepts(name))).toEqual(known);
  expect(foreign.filter((name) => hosts.accepts(name))).toEqual([]);
});

test.each([
  ['127.0.0.1:8080', 'http://localhost:8080', 'localhost:8080', true],
  ['127.0.0.1:8080', 'https://proxy.internal', 'proxy.internal', true],
  ['127.0.0.1:8080', 'http://localhost:3000', 'localhost:8080', false],
  ['127.0.0.1:8080', 'http://evil.example:8080', 'evil.example:8080', false],
  ['127.0.0.1:8080', 'null', 'localhost:8080', false],
  ['0.0.0.0:8080', 'http://10.0.0.1:8080', '10.0.0.1:8080', true],
  ['0.0.0.0:8080', 'https://proxy.internal', 'proxy.internal', true],
  ['0.0.0.0:8080', 'http://evil.example:8080', 'evil.example:8080', false],
])('on %s the origin %s is own to %s: %s', (address, origin, authority, expected) => {
  expect(new KnownHosts(address, ['proxy.internal']).isOwn(origin, authority)).toBe(expected);
});
