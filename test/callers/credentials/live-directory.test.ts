import { describe, expect, onTestFinished, test } from 'vitest';

import { LiveDirectory } from '../../../src/callers/credentials/live-directory.ts';
import type { CallerConfig, CallersConfig } from '../../../src/config/port/caller-config.ts';
import { system } from '../../../src/system.ts';
import { createIssuer } from '../../support/token-issuer.ts';
import { digested, found } from './directories.ts';

const JWT = {
  issuer: 'https://login.example.com/',
  audiences: ['llm'],
  jwks: 'https://login.example.com/jwks',
  claim: 'sub',
};

function callerOf(changes: Partial<CallerConfig>): CallerConfig {
  return { name: 'billing', apiKeys: [], limits: {}, budgets: [], ...changes };
}

function configOf(...callers: readonly Partial<CallerConfig>[]): CallersConfig {
  return { callers: callers.map(callerOf), groups: [] };
}

function live(
  config: CallersConfig | undefined,
  fetched: typeof fetch = () => Promise.reject(new Error('no network')),
) {
  const nothing = (): void => undefined;
  const parts = { system, fetch: fetched, readKeys: () => [], info: nothing, warn: nothing };
  const directory = new LiveDirectory(config, parts);
  onTestFinished(() => directory.close());
  return directory;
}

const key = (text: string) => ({ authorization: `Bearer ${text}` });

describe('the directory of callers, when the configuration is another one,', () => {
  test('knows who is named now, and nobody else', async () => {
    const directory = live(configOf({ apiKeys: [digested('one')] }));
    const before = directory.now();
    expect(await found(before?.identify(key('one')) ?? Promise.reject(new Error()))).toBe('billing');
    directory.configure(configOf({ name: 'search', apiKeys: [digested('two')] }));
    const after = directory.now();
    expect(after).not.toBe(before);
    expect(await found(after?.identify(key('two')) ?? Promise.reject(new Error()))).toBe('search');
    expect(await found(after?.identify(key('one')) ?? Promise.reject(new Error()))).toBe('unknown_key');
    directory.configure(undefined);
    expect(directory.now()).toBeUndefined();
  });

  test('stays what it is where nothing of the callers has changed', () => {
    const directory = live(configOf({ apiKeys: [digested('one')] }));
    const before = directory.now();
    directory.configure(configOf({ apiKeys: [digested('one')] }));
    expect(directory.now()).toBe(before);
  });

  test('asks the issuers that it knows for no keys again', async () => {
    const issuer = createIssuer();
    let fetches = 0;
    const directory = live(configOf({ name: 'tenant', jwt: JWT }), () => {
      fetches += 1;
      return Promise.resolve(new Response(issuer.jwks));
    });
    const exp = Math.floor(system.wall() / 1_000) + 600;
    const token = issuer.token({ iss: JWT.issuer, aud: 'llm', sub: 'acme', exp });
    const who = () => found(directory.now()?.identify(key(token)) ?? Promise.reject(new Error()));
    expect(await who()).toBe('tenant:acme');
    directory.configure(configOf({ name: 'tenant', jwt: JWT }, { apiKeys: [digested('one')] }));
    expect([await who(), fetches]).toEqual(['tenant:acme', 1]);
  });
});
