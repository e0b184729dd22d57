import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { digested, directoryOf, found } from './directories.ts';

const KEY = 'us_0123456789abcdefghijklmnopqrstuv';

describe('an API key', () => {
  const directory = directoryOf([{ apiKeys: [digested(KEY)], certificateName: 'spiffe://example.org/billing' }]);
  const certificate = { alternativeNames: ['spiffe://example.org/billing'] };

  test.each([
    ['as a bearer token', { authorization: `Bearer ${KEY}` }, 'billing'],
    ['whatever the case of the scheme', { authorization: `bEaReR   ${KEY} ` }, 'billing'],
    ['as x-api-key', { apiKey: KEY }, 'billing'],
    ['in both headers', { authorization: `Bearer ${KEY}`, apiKey: KEY }, 'billing'],
    ['as two that differ', { authorization: `Bearer ${KEY}`, apiKey: `${KEY}x` }, 'malformed'],
    ['of nobody', { apiKey: `${KEY}x` }, 'unknown_key'],
    ['cut short', { apiKey: KEY.slice(0, -1) }, 'unknown_key'],
    ['by another scheme', { authorization: `Basic ${KEY}` }, 'malformed'],
    ['without a scheme', { authorization: KEY }, 'malformed'],
    ['that is empty', { authorization: 'Bearer ' }, 'malformed'],
    ['that is empty in its own header', { apiKey: '' }, 'malformed'],
    ['twice', { apiKey: `${KEY}, ${KEY}` }, 'malformed'],
    ['that is huge', { apiKey: 'k'.repeat(16 * 1024 + 1) }, 'malformed'],
    ['of letters beyond ASCII', { apiKey: 'ключ' }, 'malformed'],
    ['not at all', {}, 'missing'],
    ['not at all, but a certificate', { certificate }, 'billing'],
    ['that is wrong, beside a certificate that would do', { apiKey: 'wrong', certificate }, 'unknown_key'],
    [
      'not at all, with the certificate of somebody else',
      { certificate: { alternativeNames: ['spiffe://example.org/billin'] } },
      'unknown_certificate',
    ],
  ])('shown %s', async (_how, shown, who) => {
    expect(await found(directory.identify(shown))).toBe(who);
  });

  test('counts until the instant of its expiry, and its owner is told', async () => {
    let wall = 999_999;
    const expiring = directoryOf([{ apiKeys: [digested(KEY, 1_000_000)] }], { wall: () => wall });
    expect(await found(expiring.identify({ apiKey: KEY }))).toBe('billing');
    wall = 1_000_000;
    expect(await expiring.identify({ apiKey: KEY })).toMatchObject({
      class: 'local_refusal',
      reason: 'AUTH_INVALID',
      message: 'The API key of the call has expired.',
    });
  });

  test('that is unknown is told no more than that it is not valid', async () => {
    expect(await directory.identify({ apiKey: 'nobody' })).toMatchObject({
      reason: 'AUTH_INVALID',
      message: 'The credentials of the call are not valid.',
    });
    expect(await directory.identify({})).toMatchObject({ reason: 'AUTH_REQUIRED' });
  });
});

describe('the file of keys', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'understudy-keys-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  const line = (key: string, more = '') => `- { caller: billing, sha256: "${digested(key).sha256}"${more} }\n`;

  test('tells of a key that is given to another caller', async () => {
    const path = join(folder, 'keys.yaml');
    const told: string[] = [];
    writeFileSync(path, line('one'));
    const directory = directoryOf([{}, { name: 'search' }], { apiKeysFile: path, told: (text) => told.push(text) });
    try {
      writeFileSync(path, line('one').replace('billing', 'search'));
      await expect
        .poll(() => told.at(-1))
        .toBe('the file of API keys was read: 1 keys; new of search; gone of billing');
    } finally {
      directory.close();
    }
  });

  test('is followed through writes, renames and links, and keeps its last good state', async () => {
    const path = join(folder, 'keys.yaml');
    const told: string[] = [];
    writeFileSync(path, line('old'));
    const directory = directoryOf([{}], { apiKeysFile: path, told: (message) => told.push(message) });
    const connections = new Map(['old', 'new'].map((key) => [key, {}]));
    const who = (apiKey: string) => found(directory.identify({ apiKey, connection: connections.get(apiKey) }));
    const becomes = (key: string, what: string) => expect.poll(() => who(key), { interval: 10 }).toBe(what);
    try {
      expect(await who('old')).toBe('billing');
      // Rotated: both count until the old one is taken away.
      writeFileSync(path, line('old') + line('new'));
      await becomes('new', 'billing');
      expect(await who('old')).toBe('billing');
      expect(told).toEqual([
        'the file of API keys was read: 1 keys',
        'the file of API keys was read: 2 keys; new of billing',
      ]);
      writeFileSync(join(folder, 'next'), line('new'));
      renameSync(join(folder, 'next'), path);
      await becomes('old', 'unknown_key');
      expect(told.at(-1)).toBe('the file of API keys was read: 1 keys; gone of billing');
      expect(await who('new')).toBe('billing');
      // Half of a file, and an empty one.
      writeFileSync(path, `${line('new')}- { caller: billing, sha256: "us_secret`);
      await expect.poll(() => told.at(-1)).toMatch(/keys before stay: keys\.yaml:\d+:\d+: /);
      writeFileSync(path, '');
      await expect.poll(() => told.at(-1)).toMatch(/keys\.yaml: is empty/);
      writeFileSync(path, `${line('new')}- { caller: nobody, sha256: us_secret }\n`);
      await expect.poll(() => told.at(-1)).toMatch(/keys\.yaml:2: sha256: must be the SHA-256/);
      expect(await who('new')).toBe('billing');
      expect(told.join()).not.toContain('us_secret');
      // As Kubernetes does: a link to another file.
      writeFileSync(join(folder, 'data'), line('linked'));
      symlinkSync(join(folder, 'data'), join(folder, 'link'));
      renameSync(join(folder, 'link'), path);
      await becomes('linked', 'billing');
      rmSync(path);
      await expect.poll(() => told.at(-1)).toMatch(/cannot be read \(ENOENT\)/);
      expect(await who('linked')).toBe('billing');
      writeFileSync(path, '[]');
      await becomes('linked', 'unknown_key');
    } finally {
      directory.close();
    }
  });
});
