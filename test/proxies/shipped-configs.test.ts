import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, test } from 'vitest';

import { createAuthority, hasOpenssl } from '../support/certificates.ts';
import { checkedProxyConfig } from './proxy-process.ts';
import { PROXY_PROGRAMS, versionOf } from './proxy-programs.ts';

const work = mkdtempSync(join(tmpdir(), 'understudy-shipped-'));
const certificate = join(work, 'tls.crt');
const ports = { grpc: 50_051, web: 8_080, admin: 9_464 };

if (hasOpenssl()) {
  const authority = createAuthority();
  const { cert, key } = authority.issue('localhost');
  writeFileSync(certificate, cert);
  writeFileSync(join(work, 'tls.key'), key);
  authority.remove();
}

afterAll(() => rmSync(work, { recursive: true }));

// Envoy comes from a registry: npm run test:proxies checks it.
describe.each(['nginx', 'haproxy', 'caddy'])('the configuration for %s', (name) => {
  test('is taken by the program', async ({ skip }) => {
    const proxy = PROXY_PROGRAMS[name];
    if (proxy === undefined) throw new Error(`there is no proxy ${name}`);
    const program = await proxy.find(work).catch(() => undefined);
    if (program === undefined || !hasOpenssl()) return skip(`${name} or openssl is not installed`);
    await versionOf(program, proxy.version);
    const places = { gateways: [ports, ports], listens: { grpc: 8_443, web: 443 }, certificate };
    await checkedProxyConfig(proxy, program, join(work, name), places);
  });
});
