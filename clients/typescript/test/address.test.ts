import { describe, expect, it } from 'vitest';
import { gatewayAddresses } from '../src/node/address.ts';

const baseUrlsOf = (...wish: Parameters<typeof gatewayAddresses>): string[] =>
  gatewayAddresses(...wish).map(({ baseUrl }) => baseUrl);

describe('an address', () => {
  it.each([
    ['127.0.0.1:50051', false, 'http://127.0.0.1:50051'],
    ['gateway.svc:50051', true, 'https://gateway.svc:50051'],
    ['[::1]:50051', false, 'http://[::1]:50051'],
    ['dns:50051', false, 'http://dns:50051'],
    ['http://gateway:50051/', false, 'http://gateway:50051'],
    ['https://gateway', false, 'https://gateway'],
    ['https://gateway:8443', true, 'https://gateway:8443'],
  ])('%s (TLS options: %s) is %s', (address, hasTlsOptions, expected) => {
    expect(baseUrlsOf(address, hasTlsOptions)).toEqual([expected]);
  });

  it.each([
    'gateway',
    '',
    ':50051',
    'gateway:99999',
    'grpc://gateway:50051',
    'dns:///gateway',
    'dns://8.8.8.8/gateway:50051',
    'unix:/tmp/socket',
    'http://gateway:50051/path',
    'http://gateway:50051?a=b',
    'https://user:secret@gateway:50051',
    'user:secret@gateway:50051',
  ])('"%s" is refused, and the error does not repeat it', (address) => {
    expect(() => baseUrlsOf(address, false)).toThrow(
      new TypeError('the address must be "host:port", "http://host:port", "https://host:port" or "dns:///host:port"'),
    );
  });

  it('that says http:// does not silently ignore TLS options', () => {
    expect(() => baseUrlsOf('http://gateway:50051', true)).toThrow(TypeError);
  });

  it('may be a name that is looked up for all it has', () => {
    const looked = { baseUrl: 'http://gateway:50051', isResolved: true };
    expect(gatewayAddresses('dns:///gateway:50051', false)).toEqual([looked]);
    expect(gatewayAddresses('dns:///gateway:50051', true)).toEqual([{ ...looked, baseUrl: 'https://gateway:50051' }]);
    expect(gatewayAddresses('gateway:50051', false)).toMatchObject([{ isResolved: false }]);
  });

  it('may be several, each once', () => {
    expect(baseUrlsOf('a:1, b:2', false)).toEqual(['http://a:1', 'http://b:2']);
    expect(baseUrlsOf(['a:1', 'https://b:2', 'a:1'], false)).toEqual(['http://a:1', 'https://b:2']);
    expect(() => baseUrlsOf([], false)).toThrow(TypeError);
    expect(() => baseUrlsOf('a:1,', false)).toThrow(TypeError);
  });
});
