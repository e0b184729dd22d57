import { once } from 'node:events';
import { connect as connectHttp2, createSecureServer, type Http2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  alternativeNames,
  clientCertificate,
  clientCertificateOf,
} from '../../../src/server/tls/client-certificate.ts';
import { type Authority, createAuthority, hasOpenssl } from '../../support/certificates.ts';

test.each([
  [
    'DNS:billing.example.org, URI:spiffe://example.org/billing',
    ['billing.example.org', 'spiffe://example.org/billing'],
  ],
  ['IP Address:10.0.0.1, email:a@example.org', ['10.0.0.1', 'a@example.org']],
  ['DNS:"good.example, URI:spiffe://evil"', ['good.example, URI:spiffe://evil']],
  ['othername:x, DirName:"CN=a, DNS:b", DNS:c', ['c']],
  ['', []],
  ['what is no name', []],
])('of %s are the names %j', (text, names) => {
  expect(alternativeNames(text)).toEqual(names);
});

// Without the openssl tool there is nothing to make certificates with.
describe.skipIf(!hasOpenssl())('the names of a connection', () => {
  let authority: Authority;
  let stranger: Authority;
  beforeAll(() => {
    authority = createAuthority();
    stranger = createAuthority();
  });
  afterAll(() => {
    authority.remove();
    stranger.remove();
  });

  /** A server of Node that asks for a certificate and refuses nobody. */
  async function listening() {
    const server = createSecureServer({
      ...authority.issue('localhost'),
      ca: authority.cert,
      requestCert: true,
      rejectUnauthorized: false,
      allowHTTP1: true,
    });
    onTestFinished(() => void server.close());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return { server, port: address.port, trust: { ca: authority.cert, servername: 'localhost' } };
  }

  test('are those of the certificate that our authority has signed, read once, over HTTP/2 and HTTP/1.1', async () => {
    const { server, port, trust } = await listening();
    const own = authority.issue('billing', { names: ['URI:spiffe://example.org/billing', 'DNS:billing.example.org'] });
    const names = {
      alternativeNames: ['spiffe://example.org/billing', 'billing.example.org'],
    };
    const client = connectHttp2(`https://127.0.0.1:${port}`, { ...trust, ...own });
    onTestFinished(() => client.destroy());
    const [session] = (await once(server, 'session')) as [Http2Session];
    expect(clientCertificate(session)).toEqual(names);
    expect(clientCertificate(session)).toBe(clientCertificate(session));
    const old = connect({ port, host: '127.0.0.1', ...trust, ...own, ALPNProtocols: ['http/1.1'] });
    onTestFinished(() => void old.destroy());
    old.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
    const [request] = await once(server, 'request');
    expect(clientCertificateOf(request)).toEqual(names);
  });

  test('are none without a certificate, with one of a stranger, and without TLS', async () => {
    const { server, port, trust } = await listening();
    for (const own of [{}, stranger.issue('billing')]) {
      const client = connectHttp2(`https://127.0.0.1:${port}`, { ...trust, ...own });
      onTestFinished(() => client.destroy());
      const [session] = (await once(server, 'session')) as [Http2Session];
      expect(clientCertificate(session)).toBeUndefined();
      client.destroy();
      session.destroy();
      expect(clientCertificate(session)).toBeUndefined();
    }
    expect(clientCertificateOf({ socket: { remoteAddress: '127.0.0.1' } as Socket })).toBeUndefined();
    expect(clientCertificateOf({ socket: {} as Socket, stream: {} })).toBeUndefined();
  });
});
