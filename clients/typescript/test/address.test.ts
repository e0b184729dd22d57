import { describe, expect, it } from 'vitest';
import { baseUrlOf, baseUrlsOf } from '../src/node/address.ts';

describe('an address', () => {
  it.each([
    ['127.0.0.1:50051', false, 'http://127.0.0.1:50051'],
    ['gateway.svc:50051', true, 'https://gateway.svc:50051'],
    ['[::1]:50051', false, 'http://[::1]:50051'],
    ['http://gateway:50051/', false, 'http://gateway:50051'],
    ['https://gateway', false, 'https://gateway'],
    ['https://gateway:8443', true, 'https://gateway:8443'],
  ])('%s (TLS options: %s) is %s', (address, hasTlsOptions, expected) => {
    expect(baseUrlOf(address, hasTlsOptions)).toBe(expected);
  });

  it.each([
    'gateway',
    '',
    ':50051',
    'gateway:99999',
    'grpc://gateway:50051',
    'dns:///gateway:50051',
    'unix:/tmp/socket',
    'http://gateway:50051/path',
    'http://gateway:50051?a=b',
    'https://user:secret@gateway:50051',
    'user:secret@gateway:50051',
  ])('"%s" is refused, and the error does not repeat it', (address) => {
    expect(() => baseUrlOf(address, false)).toThrow(
      new TypeError('the address must be "host:port", "http://host:port" or "https://host:port"'),
    );
  });

  it('that says http:// does not silently ignore TLS options', () => {
    expect(() => baseUrlOf('http://gateway:50051', true)).toThrow(TypeError);
  });

  it('may be several, each once', () => {
    expect(baseUrlsOf('a:1, b:2', false)).toEqual(['http://a:1', 'http://b:2']);
    expect(baseUrlsOf(['a:1', 'https://b:2', 'a:1'], false)).toEqual(['http://a:1', 'https://b:2']);
    expect(() => baseUrlsOf([], false)).toThrow(TypeError);
    expect(() => baseUrlsOf('a:1,', false)).toThrow(TypeError);
  });
});
