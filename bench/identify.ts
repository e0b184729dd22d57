import { hash, randomBytes } from 'node:crypto';

import { openCallerDirectory } from '../src/callers/credentials/caller-directory.ts';
import { system } from '../src/system.ts';
import { createIssuer } from '../test/support/token-issuer.ts';

/** What it costs to know a caller: `node bench/identify.ts` prints microseconds of CPU for each call. */
const CALLS = 300_000;

const KEY = `us_${randomBytes(32).toString('base64url')}`;
const issuer = createIssuer();
const token = issuer.token({
  iss: 'https://login.example.com/',
  aud: 'llm',
  sub: 'acme',
  roles: Array.from({ length: 20 }, (_, index) => `role-${index}`),
  exp: Math.floor(Date.now() / 1_000) + 3_600,
});

const caller = { limits: {}, budgets: [] };
const directory = openCallerDirectory({
  config: {
    callers: [
      ...Array.from({ length: 1_000 }, (_, index) => ({
        ...caller,
        name: `caller-${index}`,
        apiKeys: [{ sha256: hash('sha256', index === 500 ? KEY : String(index)) }],
      })),
      {
        ...caller,
        name: 'tenant',
        apiKeys: [],
        jwt: {
          issuer: 'https://login.example.com/',
          audiences: ['llm'],
          jwks: 'https://login.example.com/jwks',
          claim: 'sub',
        },
      },
      { ...caller, name: 'reports', apiKeys: [], certificateName: 'spiffe://example.org/reports' },
    ],
    groups: [],
  },
  system,
  fetch: () => Promise.resolve(new Response(issuer.jwks)),
  readKeys: () => [],
  info: () => undefined,
  warn: () => undefined,
});

await directory.identify({ apiKey: token });
const SHOWN = {
  'API key': { authorization: `Bearer ${KEY}` },
  'known token': { authorization: `Bearer ${token}` },
  certificate: { certificate: { alternativeNames: ['spiffe://example.org/reports'] } },
  'wrong key': { apiKey: 'us_wrong' },
  'forged token': { apiKey: token.replace(/^[^.]+/, Buffer.from('{"alg":"none"}').toString('base64url')) },
};
for (const [name, shown] of Object.entries(SHOWN)) {
  for (let call = 0; call < CALLS / 10; call++) void directory.identify(shown);
  const before = process.cpuUsage();
  for (let call = 0; call < CALLS; call++) void directory.identify(shown);
  const { user, system: kernel } = process.cpuUsage(before);
  console.log(`${name.padEnd(14)} ${((user + kernel) / CALLS).toFixed(2)} us`);
}
directory.close();
