import { hash } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ConfigInput } from '../../src/config/file/schema.ts';
import { createIssuer } from '../support/token-issuer.ts';
import type { Attack } from './attack.ts';
import { inParallel, tally } from './attack.ts';
import { chatBytes } from './bodies.ts';
import { HEALTHY_KEY } from './healthy-caller.ts';
import { callGrpc, framed, openSession, postWeb } from './raw-calls.ts';

const ISSUER = 'https://login.example.com/';
const CALLS = 20_000;
const WEB_CALLS = 4_000;
const AT_ONCE = 100;
const CONNECTIONS = 10;

/** Calls both doors with credentials that are nobody's, each with others, as fast as they are refused. */
function flood(name: string, credentials: () => (index: number) => string): Attack {
  return {
    name,
    withinMs: 120_000,
    run: async ({ grpc, web, stderr }) => {
      const make = credentials();
      const shown = (index: number) => ({ authorization: `Bearer ${make(index)}` });
      const sessions = Array.from({ length: CONNECTIONS }, () => openSession(grpc));
      const body = framed(chatBytes());
      const json = Buffer.from('{"prompt":"hello"}');
      const [native, posted] = await Promise.all([
        inParallel(CALLS, AT_ONCE, async (index) => {
          const session = sessions[index % CONNECTIONS] ?? openSession(grpc);
          return (await callGrpc(session, 'Chat', body, { headers: shown(index) })).grpcStatus ?? 'no status';
        }),
        inParallel(WEB_CALLS, AT_ONCE, async (index) => {
          const headers = { 'content-type': 'application/json', ...shown(index) };
          return (await postWeb(web, 'Generate', json, { headers })).status;
        }),
      ]);
      for (const session of sessions) session.destroy();
      const odd = [
        ...native.filter((status) => status !== '16').map((status) => `gRPC ${status}`),
        ...posted.filter((status) => status !== 401).map((status) => `web ${status}`),
      ];
      return [
        ...(odd.length === 0 ? [] : [`was not refused as it should be: ${tally(odd)}`]),
        ...(stderr().includes('Bearer') ? ['credentials were printed'] : []),
      ];
    },
  };
}

/** What strangers can show where callers are named. */
export const CREDENTIAL_ATTACKS: readonly Attack[] = [
  flood('wrong-keys', () => (index) => `us_${hash('sha256', String(index), 'base64url')}`),
  // Each has the form, the issuer and the key id of a good one: its signature must be looked at.
  flood('wrong-signatures', () => {
    const stranger = createIssuer();
    const exp = Math.floor(Date.now() / 1_000) + 3_600;
    const tokens = Array.from({ length: 500 }, (_, jti) =>
      stranger.token({ iss: ISSUER, aud: 'llm', sub: 'a', exp, jti }),
    );
    return (index) => tokens[index % tokens.length] ?? '';
  }),
];

/** The gateway that they are shown to: as the one that is attacked with all else, with a caller for healthy calls, and an issuer. */
export function guardedConfig(config: ConfigInput): ConfigInput {
  const jwks = join(mkdtempSync(join(tmpdir(), 'understudy-attack-')), 'jwks.json');
  writeFileSync(jwks, createIssuer().jwks);
  return {
    ...config,
    callers: [
      { name: 'healthy', api_keys: [{ sha256: hash('sha256', HEALTHY_KEY) }] },
      { name: 'tenant', jwt: { issuer: ISSUER, audience: 'llm', jwks } },
    ],
  };
}
