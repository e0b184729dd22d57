import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Authority, createAuthority, hasOpenssl } from '../../support/certificates.ts';
import { configErrorOf, loadText } from '../loading.ts';

const DAY_MS = 86_400_000;

// Without the openssl tool there is nothing to make certificates with.
describe.skipIf(!hasOpenssl())('a configuration with TLS', () => {
  let authority: Authority;
  let files: Record<string, string>;
  beforeAll(() => {
    authority = createAuthority();
    const { cert, key } = authority.issue('localhost');
    const locked = ['pkey', '-aes256', '-passout', 'pass:a-passphrase'];
    files = {
      '/etc/tls.crt': cert,
      '/etc/tls.key': key,
      '/abs/ca.crt': authority.cert,
      '/etc/expired.crt': authority.issue('localhost', { days: -1 }).cert,
      '/etc/other.key': authority.issue('localhost').key,
      '/etc/locked.key': execFileSync('openssl', locked, { input: key, encoding: 'utf8' }),
      '/etc/text': 'what is no PEM',
      '/etc/broken.crt': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    };
    const expired = authority.issue('localhost', { days: -1 });
    files['/etc/expired.crt'] = expired.cert;
    files['/etc/expired.key'] = expired.key;
  });
  afterAll(() => authority.remove());

  function load(
    server: string,
    wallMs = Date.now(),
    more = '',
    env: Readonly<Record<string, string | undefined>> = {},
  ) {
    const text = `targets: [{ name: a, provider: mock }]\nserver: { ${server} }\n${more}`;
    const readFile = (path: string): string => {
      const found = path === '/etc/understudy.yaml' ? text : files[path];
      if (found === undefined) throw Object.assign(new Error('not there'), { code: 'ENOENT' });
      return found;
    };
    return loadText('', env, { readFile, wallMs });
  }

  test('has it for all listeners, with paths relative to its folder, and another or none for the admin listener', () => {
    const { server, warnings } = load('tls: { cert: tls.crt, key: ./tls.key, client_ca: /abs/ca.crt }');
    const tls = {
      field: 'server.tls',
      certPath: '/etc/tls.crt',
      keyPath: '/etc/tls.key',
      clientCaPath: '/abs/ca.crt',
      clientAuth: 'required',
      minVersion: 'TLSv1.2',
    };
    expect([server.tls, server.adminTls, warnings]).toEqual([tls, tls, []]);
    const own = load(
      'tls: { cert: tls.crt, key: tls.key }, admin_tls: { cert: tls.crt, key: tls.key, min_version: 1.3 }',
    );
    expect(own.server.adminTls).toMatchObject({ field: 'server.admin_tls', minVersion: 'TLSv1.3' });
    expect(load('tls: { cert: tls.crt, key: tls.key }, admin_tls: off').server.adminTls).toBeUndefined();
  });

  test.each([
    ['cert: none.crt, key: tls.key', 'server.tls.cert: cannot read "/etc/none.crt" (ENOENT)'],
    ['cert: tls.crt, key: none.key', 'server.tls.key: cannot read "/etc/none.key" (ENOENT)'],
    ['cert: text, key: tls.key', 'server.tls.cert: holds no certificate in PEM (-----BEGIN CERTIFICATE-----)'],
    ['cert: broken.crt, key: tls.key', 'server.tls.cert: holds a certificate that cannot be read'],
    ['cert: tls.crt, key: text', 'server.tls.key: holds no private key in PEM (PRIVATE KEY between dashes)'],
    ['cert: tls.crt, key: other.key', 'server.tls.key: is not the key of the first certificate in server.tls.cert'],
    ['cert: tls.crt, key: locked.key', 'server.tls.key: has a passphrase; it must have none'],
    [
      'cert: tls.crt, key: tls.key, client_ca: text',
      'server.tls.client_ca: holds no certificate in PEM (-----BEGIN CERTIFICATE-----)',
    ],
    ['cert: tls.crt, key: tls.key, client_auth: optional', 'server.tls.client_auth: needs server.tls.client_ca'],
    ['cert: tls.crt', 'server.tls.key: is required'],
    ['cert: tls.crt, key: tls.key, min_version: "1.1"', 'server.tls.min_version: must be "1.2" or "1.3", not "1.1"'],
  ])('with { %s } says: %s', (tls, problem) => {
    expect(configErrorOf(() => load(`tls: { ${tls} }`))).toBe(problem);
  });

  test('may listen on public addresses where callers are known by certificates, the admin listener where it asks for them', () => {
    const callers = 'callers: [{ name: a, mtls: { san: spiffe://example.org/a } }]';
    const addresses = 'grpc_address: "0.0.0.0:1", http_address: "0.0.0.0:2", admin_address: "0.0.0.0:3"';
    const tls = 'tls: { cert: tls.crt, key: tls.key, client_ca: /abs/ca.crt';
    const { server } = load(`${tls} }, ${addresses}`, Date.now(), callers);
    expect([server.isUnauthenticated, server.allowUnauthenticated]).toEqual([false, false]);
    for (const open of [', client_auth: optional }', ' }, admin_tls: off']) {
      const refused = configErrorOf(() => load(`${tls}${open}, ${addresses}`, Date.now(), callers));
      expect(refused).toMatch(/^server\.admin_address: .*operators show no credentials/);
    }
    const nobody = configErrorOf(() => load(`${tls} }, ${addresses}`));
    expect(nobody).toMatch(/server\.grpc_address: .*callers are not authenticated/);
  });

  test('names everything that is wrong at once', () => {
    const error = configErrorOf(() => load('tls: { cert: none.crt, key: text }'));
    expect(error?.split('\n')).toHaveLength(2);
  });

  test('shows nothing of a key that stands where its path belongs', () => {
    const secrets = { CERT: files['/etc/tls.crt'], KEY: files['/etc/tls.key'] };
    const refused = configErrorOf(() => load('tls: { cert: "${CERT}", key: "${KEY}" }', Date.now(), '', secrets));
    const rule = 'is the text of PEM; it must be the path of a file that holds it';
    expect(refused).toBe(`server.tls.cert: ${rule}\nserver.tls.key: ${rule}`);
  });

  test('warns of a certificate that has expired, or is not valid yet', () => {
    const [expired] = load('tls: { cert: expired.crt, key: expired.key }').warnings;
    expect(expired).toMatch(/^server\.tls\.cert: the certificate expired on \d{4}-\d\d-\d\dT/);
    const [early] = load('tls: { cert: tls.crt, key: tls.key }', Date.now() - 3 * DAY_MS).warnings;
    expect(early).toMatch(/^server\.tls\.cert: the certificate is not valid before /);
    const later = load(
      'tls: { cert: tls.crt, key: tls.key, client_ca: /abs/ca.crt }',
      Date.now() + 9 * DAY_MS,
    ).warnings;
    expect(later.join('\n')).toContain('server.tls.client_ca: every certificate in it has expired');
  });
});
