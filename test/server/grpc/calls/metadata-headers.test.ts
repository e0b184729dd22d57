import { Metadata } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { GrpcHeaders } from '../../../../src/server/grpc/calls/metadata-headers.ts';

test('metadata reads as web headers: any case, joined values, base64 of binary ones', () => {
  const metadata = new Metadata();
  metadata.add('x-tag', ' a ');
  metadata.add('x-tag', 'b');
  metadata.add('data-bin', Buffer.from([1, 2, 3]));
  const headers = new GrpcHeaders(metadata);
  const web = new Headers([
    ['x-tag', ' a '],
    ['x-tag', 'b'],
    ['data-bin', 'AQID'],
  ]);
  expect(headers.get('X-Tag')).toBe(web.get('X-Tag'));
  expect(headers.get('data-bin')).toBe('AQID');
  expect(headers.get('none')).toBe(web.get('none'));
  expect([headers.has('X-TAG'), headers.has('none')]).toEqual([true, false]);
  expect([...headers]).toEqual([...web]);
  expect([...headers.keys()]).toEqual([...web.keys()]);
  expect([...headers.values()]).toEqual([...web.values()]);
});

test('what is set is in the metadata', () => {
  const headers = new GrpcHeaders();
  headers.set('X-Request-Id', ' one ');
  headers.append('x-request-id', 'two');
  headers.set('data-bin', 'AQID');
  headers.set('gone', 'x');
  headers.delete('Gone');
  expect(headers.metadata.toHttp2Headers()).toEqual({ 'x-request-id': ['one', 'two'], 'data-bin': 'AQID' });
  const seen: string[] = [];
  headers.forEach((value, name) => seen.push(`${name}=${value}`));
  expect(seen).toEqual(['data-bin=AQID', 'x-request-id=one, two']);
});

test('cookies stay apart', () => {
  const headers = new GrpcHeaders();
  headers.append('set-cookie', 'a=1');
  headers.append('set-cookie', 'b=2');
  expect(headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  expect([...headers.entries()]).toEqual([
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=2'],
  ]);
});

test('a name or value that gRPC forbids is refused', () => {
  const headers = new GrpcHeaders();
  expect(() => headers.set('bad name', 'a')).toThrow('illegal');
  expect(() => headers.set('name', 'a\u0000b')).toThrow('illegal');
});
