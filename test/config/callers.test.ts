import { describe, expect, test } from 'vitest';

import { configErrorOf, loadText } from './loading.ts';

const SHA = 'ab'.repeat(32);
const KEY = `api_keys: [{ sha256: ${SHA} }]`;
const JWT = 'jwt: { issuer: https://idp.example.com, audience: llm, jwks: https://idp.example.com/jwks';

describe('a file that names callers is refused', () => {
  test.each([
    [
      `callers: [{ name: a, group: b, ${KEY} }]`,
      'callers[0].group: must be the name of a group (there are none), not "b"',
    ],
    [
      `callers: [{ name: a, ${KEY} }, { name: b, ${KEY} }]`,
      'callers[1].api_keys[0].sha256: this key stands at callers[0].api_keys[0].sha256 already',
    ],
    [
      `callers: [{ name: a, ${KEY} }, { name: a }]\napi_keys_file: keys.yaml`,
      'callers[1].name: the name is taken by callers[0]',
    ],
    [
      `callers: [{ name: a, ${KEY} }]\ngroups: [{ name: g }, { name: g }]`,
      'groups[1].name: the name is taken by groups[0]',
    ],
    [
      `callers: [{ name: a, ${KEY}, allow: { routes: [fast] } }]`,
      'callers[0].allow.routes[0]: must be the name of a route (there are default), not "fast"',
    ],
    [
      `callers: [{ name: a, ${KEY}, allow: { targets: [x] } }]`,
      'callers[0].allow.targets[0]: must be the name of a target (there are mock), not "x"',
    ],
    ['callers: [{ name: a }]', 'callers[0]: nobody can be a: set api_keys, jwt or mtls, or have keys in api_keys_file'],
    ['callers: [{ name: a:b }]', 'callers[0].name: must be 1 to 100 letters, digits, or characters of ._~-, not "a:b"'],
    [
      `callers: [{ name: a, ${KEY}, budget: { usd: 1.00, per: day } }]`,
      'callers[0].budget.usd: must be a decimal number in quotes with at most 9 places, such as "20.00", not 1',
    ],
    [
      `callers: [{ name: a, ${KEY}, budget: { usd: "1", per: week } }]`,
      'callers[0].budget.per: must be day or month, not "week"',
    ],
    [
      `callers: [{ name: a, ${KEY}, budget: [{ usd: "1", per: day }, { usd: "2", per: day }] }]`,
      'callers[0].budget[1].per: there is a budget per day already',
    ],
    [
      `callers: [{ name: a, ${KEY}, limits: { requests_per_minute: 0 } }]`,
      'callers[0].limits.requests_per_minute: must be a whole number from 1 to 1000000000, not 0',
    ],
    [
      `callers: [{ name: a, api_keys: [{ sha256: ${SHA}, expires: 2027-01-31 }] }]`,
      'callers[0].api_keys[0].expires: must be an instant with its zone, such as 2027-01-31T12:00:00Z',
    ],
    [`callers: [{ name: a, mtls: { san: spiffe://a/b } }]`, 'callers[0].mtls: needs server.tls.client_ca'],
    [
      `callers: [{ name: a, ${JWT}, value: x } }, { name: b, ${JWT}, value: x } }]`,
      'callers[1].jwt: what has the same tokens stands at callers[0].jwt already',
    ],
    [
      'callers: [{ name: a, jwt: { issuer: i, audience: llm, jwks: http://idp.example.com/jwks } }]',
      'callers[0].jwt.jwks: must be the path of a file, or a URL that begins with https:// (http:// for this machine alone)',
    ],
    ['groups: [{ name: g }]', 'groups: needs callers, and none is named'],
    ['api_keys_file: keys.yaml', 'api_keys_file: needs callers, and none is named'],
    ['caller_defaults: { group: x }', 'caller_defaults.group: must be the name of a group (there are none), not "x"'],
  ])('%s', (text, problem) => {
    expect(configErrorOf(() => loadText(`targets: [{ name: mock, provider: mock }]\n${text}`))).toContain(problem);
  });

  test('without a word of a key that stands where its digest should', () => {
    const text = 'callers: [{ name: a, api_keys: [{ sha256: us_short }] }]';
    const said = configErrorOf(() => loadText(text));
    expect(said).toMatch(/^callers\[0\]\.api_keys\[0\]\.sha256: must be the SHA-256 of a key/);
    expect(said).not.toContain('us_short');
  });
});

describe('an address that others can reach', () => {
  const callers = `callers: [{ name: a, ${KEY} }]\n`;

  test('is allowed at the doors where callers are named', () => {
    const { server } = loadText(`${callers}server: { grpc_address: "0.0.0.0:1", http_address: "0.0.0.0:2" }`);
    expect([server.grpcAddress, server.httpAddress, server.allowUnauthenticated]).toEqual([
      '0.0.0.0:1',
      '0.0.0.0:2',
      false,
    ]);
  });

  test('of the admin listener is not, since callers are no operators', () => {
    expect(configErrorOf(() => loadText(`${callers}server: { admin_address: "0.0.0.0:3" }`))).toBe(
      'server.admin_address: other machines can reach 0.0.0.0:3 and operators show no credentials; use a loopback address such as ' +
        '127.0.0.1:3, ask for client certificates with server.tls.client_ca, or, if something else guards it, set ' +
        'server.allow_unauthenticated: true or UNDERSTUDY_ALLOW_UNAUTHENTICATED=1',
    );
  });
});

describe('a file of public keys', () => {
  const KEYS = '{ "keys": [{ "kty": "OKP" }] }';

  function warningsOf(keys: string | undefined): readonly string[] {
    const jwt = 'jwt: { issuer: i, audience: llm, jwks: keys.json }';
    const text = `targets: [{ name: mock, provider: mock }]\ncallers: [{ name: a, ${KEY} }, { name: b, ${jwt} }]`;
    const readFile = (path: string): string => {
      if (path === '/etc/understudy.yaml') return text;
      if (keys === undefined) throw Object.assign(new Error('not there'), { code: 'ENOENT' });
      return keys;
    };
    return loadText('', {}, { readFile }).warnings;
  }

  test.each([
    ['that is not there', undefined, 'cannot be read (ENOENT)'],
    ['that is no JSON', 'keys', 'is no key set'],
    ['that is another document', '{ "issuer": "i" }', 'is no key set'],
    ['that is empty', 'null', 'is no key set'],
    ['with something else in place of keys', '{ "keys": ["k"] }', 'is no key set'],
    ['without a key', '{ "keys": [] }', 'holds no key'],
  ])('%s is warned of by its field, since a process starts without it', (_what, keys, fault) => {
    expect(warningsOf(keys)).toEqual([`callers[1].jwt.jwks: ${fault}; without keys no token is taken`]);
  });

  test('that holds keys is not', () => {
    expect(warningsOf(KEYS)).toEqual([]);
  });
});

test('without callers there is nothing to ask', () => {
  expect(loadText('').callers).toBeUndefined();
});
