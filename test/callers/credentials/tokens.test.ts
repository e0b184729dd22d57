import { createHmac } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import { temporaryFolder } from '../../support/temporary-folder.ts';
import { createIssuer } from '../../support/token-issuer.ts';
import { directoryOf, type DirectoryChanges, found } from './directories.ts';

const ISSUER = 'https://login.example.com/';
const JWKS = 'https://login.example.com/jwks.json';
const NOW_S = 1_800_000_000;
const CLAIMS = { iss: ISSUER, aud: 'llm', sub: 'acme', exp: NOW_S + 60 };
const issuer = createIssuer();

const jwt = { issuer: ISSUER, audiences: ['llm'], jwks: JWKS, claim: 'sub' };
const fetchOf =
  (text: () => string): typeof fetch =>
  () =>
    Promise.resolve(new Response(text()));

function open(changes: DirectoryChanges = {}, entry: object = {}) {
  const settings = { wall: () => NOW_S * 1_000, fetch: fetchOf(() => issuer.jwks), ...changes };
  return directoryOf([{ name: 'tenant', jwt: { ...jwt, ...entry } }], settings);
}

const show = (directory: ReturnType<typeof open>, token: string) =>
  found(directory.identify({ authorization: `Bearer ${token}` }));

describe('a token', () => {
  test('names the caller of its claim, at once where it is known', async () => {
    const directory = open();
    const token = issuer.token(CLAIMS);
    expect(await show(directory, token)).toBe('tenant:acme');
    expect(directory.identify({ apiKey: token })).toMatchObject({ name: 'tenant:acme', metricName: 'tenant' });
    directory.close();
  });

  test('is verified once where many calls show it together', async () => {
    const directory = open();
    const token = issuer.token(CLAIMS);
    const all = await Promise.all(Array.from({ length: 50 }, async () => directory.identify({ apiKey: token })));
    expect(new Set(all).size).toBe(1);
    directory.close();
  });

  test('counts to the second of its expiry, though it is known', async () => {
    let wall = NOW_S * 1_000;
    const directory = open({ wall: () => wall });
    const token = issuer.token({ ...CLAIMS, exp: NOW_S + 1 });
    expect(await show(directory, token)).toBe('tenant:acme');
    wall += 1_000;
    expect(await show(directory, token)).toBe('expired_token');
    expect(await show(directory, token)).toBe('expired_token');
    directory.close();
  });

  test.each([
    ['a value', { claim: 'sub', value: 'acme' }, {}, 'tenant'],
    ['another value', { claim: 'sub', value: 'other' }, {}, 'invalid_token caller'],
    [
      'one of a list',
      { claim: 'realm_access.roles', value: 'llm' },
      { realm_access: { roles: ['a', 'llm'] } },
      'tenant',
    ],
    [
      'a name with dots',
      { claim: 'https://example.com/org', value: 'x' },
      { 'https://example.com/org': 'x' },
      'tenant',
    ],
    ['a number', { claim: 'org.id' }, { org: { id: 42 } }, 'tenant:42'],
    ['a list with nobody in particular', { claim: 'roles' }, { roles: ['a', 'b'] }, 'invalid_token caller'],
    ['nothing', { claim: 'org' }, {}, 'invalid_token caller'],
    ['what everything has', { claim: '__proto__.constructor' }, {}, 'invalid_token caller'],
    ['a line break', { claim: 'org' }, { org: 'a\nb' }, 'invalid_token caller'],
    ['half a character', { claim: 'org' }, { org: '\ud800' }, 'invalid_token caller'],
  ])('whose claim has %s', async (_what, entry, claims, who) => {
    const directory = open({}, entry);
    expect(await show(directory, issuer.token({ ...CLAIMS, ...claims }))).toBe(who);
    directory.close();
  });

  const pem = issuer.publicKey.export({ format: 'pem', type: 'spki' });
  const hmac = (input: string) => createHmac('sha256', pem).update(input).digest('base64url');
  const good = issuer.token(CLAIMS);
  const other = createIssuer('one');
  test.each<[string, string, string]>([
    ['without a signature (none)', issuer.signed({ alg: 'none' }, CLAIMS, () => ''), 'invalid_token form'],
    ['of none with something behind', issuer.signed({ alg: 'nOnE' }, CLAIMS, issuer.sign), 'invalid_token form'],
    [
      'signed with the public key as a secret',
      issuer.signed({ alg: 'HS256', kid: 'one' }, CLAIMS, hmac),
      'invalid_token form',
    ],
    ['that says another algorithm than it has', issuer.token(CLAIMS, { alg: 'RS256' }), 'invalid_token signature'],
    ['signed by somebody else with the same kid', other.token(CLAIMS), 'invalid_token signature'],
    ['with a kid that leads elsewhere', issuer.token(CLAIMS, { kid: '../../etc/passwd' }), 'invalid_token kid'],
    ['with a kid that is no text', issuer.token(CLAIMS, { kid: ['one'] }), 'invalid_token form'],
    [
      'that brings its own key',
      other.token(CLAIMS, { jwk: JSON.parse(other.jwks).keys[0], jku: 'https://evil.example' }),
      'invalid_token signature',
    ],
    ['with an extension', issuer.token(CLAIMS, { crit: ['x'], x: 1 }), 'invalid_token form'],
    ['with a payload that is not encoded', issuer.token(CLAIMS, { b64: false }), 'invalid_token form'],
    ['expired by a second', issuer.token({ ...CLAIMS, exp: NOW_S - 1 }), 'expired_token'],
    ['that expires now', issuer.token({ ...CLAIMS, exp: NOW_S }), 'expired_token'],
    ['without an expiry', issuer.token({ ...CLAIMS, exp: undefined }), 'invalid_token exp'],
    ['with an expiry in words', issuer.token({ ...CLAIMS, exp: '9999999999' }), 'invalid_token exp'],
    ['of the future', issuer.token({ ...CLAIMS, nbf: NOW_S + 60 }), 'invalid_token nbf'],
    ['of another issuer', issuer.token({ ...CLAIMS, iss: 'https://login.example.com' }), 'invalid_token iss'],
    ['for another audience', issuer.token({ ...CLAIMS, aud: ['llm2', ['llm']] }), 'invalid_token aud'],
    ['without an audience', issuer.token({ ...CLAIMS, aud: undefined }), 'invalid_token aud'],
    // To a length that base64 never has: what is left of a shorter cut may be a signature.
    ['cut', good.slice(0, -9), 'invalid_token form'],
    ['without its last part', good.split('.').slice(0, 2).join('.'), 'unknown_key'],
    ['with two dots too many', `${good}..`, 'unknown_key'],
    ['with two parts too many', `${good}.a.b`, 'unknown_key'],
    ['with letters changed', good.replace(/.(?=\.)/, 'A'), 'invalid_token form'],
    ['of no JSON', issuer.signed('{"alg":"ES256"', '[]', issuer.sign), 'invalid_token form'],
    ['of a list', issuer.signed({ alg: 'ES256', kid: 'one' }, [CLAIMS], issuer.sign), 'invalid_token form'],
    ['of half a character', issuer.signed({ alg: 'ES256', kid: 'one' }, '\ud800', issuer.sign), 'invalid_token form'],
    ['nested deep', issuer.signed({ alg: 'ES256', kid: 'one' }, '['.repeat(5_000), issuer.sign), 'invalid_token form'],
    ['that is huge', issuer.token({ ...CLAIMS, pad: 'x'.repeat(20_000) }), 'malformed'],
  ])('%s is refused', async (_what, token, why) => {
    const directory = open();
    expect(await show(directory, token)).toBe(why);
    expect(await show(directory, good)).toBe('tenant:acme');
    directory.close();
  });
});

describe('the keys of an issuer', () => {
  test('are fetched anew for a kid that is not known, but not for every one', async () => {
    let [nowMs, fetched, text] = [0, 0, issuer.jwks];
    const rotated = createIssuer('two');
    const counting: typeof fetch = () => {
      fetched += 1;
      return Promise.resolve(new Response(text));
    };
    const directory = open({ now: () => nowMs, fetch: counting });
    expect(await show(directory, issuer.token(CLAIMS))).toBe('tenant:acme');
    text = rotated.jwks;
    expect(await show(directory, rotated.token(CLAIMS))).toBe('invalid_token kid');
    expect(fetched).toBe(1);
    nowMs = 30_000;
    expect(await show(directory, rotated.token(CLAIMS))).toBe('tenant:acme');
    expect(await show(directory, rotated.token(CLAIMS, { kid: 'three' }))).toBe('invalid_token kid');
    expect(fetched).toBe(2);
    // What the old key has signed is looked at again.
    expect(await show(directory, issuer.token(CLAIMS))).toBe('invalid_token kid');
    directory.close();
  });

  test('stay where new ones cannot be had', async () => {
    let [nowMs, isDown] = [0, false];
    const told: string[] = [];
    const failing: typeof fetch = () =>
      isDown ? Promise.reject(new Error('down')) : Promise.resolve(new Response(issuer.jwks));
    const directory = open({ now: () => nowMs, fetch: failing, told: (message) => told.push(message) });
    expect(await show(directory, issuer.token(CLAIMS))).toBe('tenant:acme');
    isDown = true;
    nowMs = 60_000;
    expect(await show(directory, issuer.token(CLAIMS, { kid: 'new' }))).toBe('invalid_token kid');
    expect(await show(directory, issuer.token({ ...CLAIMS, jti: 'other' }))).toBe('tenant:acme');
    expect(told).toEqual(['the public keys of an issuer (jwks) cannot be fetched; the keys before stay']);
    directory.close();
  });

  test('are asked one set after the other, and the one that has signed tells why nobody is known', async () => {
    const rotated = createIssuer('two');
    const fetchBoth: typeof fetch = (place) =>
      Promise.resolve(new Response(place === JWKS ? issuer.jwks : rotated.jwks));
    const entries = [JWKS, `${JWKS}?other`].map((jwks, at) => ({
      name: `tenant-${at}`,
      jwt: { ...jwt, jwks, value: `org-${at}` },
    }));
    const directory = directoryOf(entries, { wall: () => NOW_S * 1_000, fetch: fetchBoth });
    expect(await show(directory, rotated.token({ ...CLAIMS, sub: 'org-1' }))).toBe('tenant-1');
    for (const who of [issuer, rotated]) expect(await show(directory, who.token(CLAIMS))).toBe('invalid_token caller');
    expect(await show(directory, createIssuer('one').token(CLAIMS))).toBe('invalid_token signature');
    directory.close();
  });

  test.each([
    ['is missing', undefined, 'cannot be read (ENOENT)'],
    ['holds none', '{}', 'what stands in'],
  ])(
    'are told of by their file where it %s later, and not at first, when the configuration tells of it',
    async (_what, text, words) => {
      const jwks = join(temporaryFolder(), 'keys.json');
      const write = (): void => (text === undefined ? rmSync(jwks, { force: true }) : writeFileSync(jwks, text));
      write();
      const told: string[] = [];
      const directory = open({ told: (message) => told.push(message) }, { jwks });
      onTestFinished(() => directory.close());
      const shown = () => show(directory, issuer.token(CLAIMS));
      expect(await shown()).toBe('issuer_unavailable');
      expect(told).toEqual([]);
      writeFileSync(jwks, issuer.jwks);
      await expect.poll(shown).toBe('tenant:acme');
      write();
      await expect.poll(() => told).toEqual([expect.stringContaining(words)]);
      expect(told[0]).toContain(jwks);
    },
  );

  test('that were never there are not the fault of the caller', async () => {
    const directory = open({ fetch: () => Promise.reject(new Error('down')) });
    const found = await directory.identify({ apiKey: issuer.token(CLAIMS) });
    expect(found).toMatchObject({ reason: 'OVERLOADED', credentials: 'issuer_unavailable' });
    directory.close();
  });
});
