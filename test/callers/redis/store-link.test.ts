import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';

import { afterEach, describe, expect, test } from 'vitest';

import { accountOf, cents } from '../../support/caller-accounts.ts';
import { createAuthority, hasOpenssl } from '../../support/certificates.ts';
import { freePort } from '../../support/free-port.ts';
import { hasRedis, type ScratchRedis, startScratchRedis } from '../../support/scratch-redis.ts';
import { openSharedStore } from '../../support/shared-stores.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe.skipIf(!hasRedis())('a store of limits (needs redis-server)', () => {
  let redis: ScratchRedis | undefined;
  afterEach(() => redis?.stop());

  /** Spends a cent of two, and asks whether two more fit. */
  async function spendAt(url: string): Promise<unknown> {
    const { store } = openSharedStore(url);
    await store.reached;
    const accounts = [accountOf('caller:billing', { budgets: [cents(2)] })];
    expect(await store.reserve(accounts, 10_000_000n)).toBeUndefined();
    store.settle(accounts, 10_000_000n, 10_000_000n);
    const answer = await store.reserve(accounts, 20_000_000n);
    await store.close();
    return answer;
  }

  test('is reached by a socket of its machine', async () => {
    const path = join(temporaryFolder(), 'redis.sock');
    redis = await startScratchRedis('--unixsocket', path);
    expect(await spendAt(`unix://${path}`)).toMatchObject({ kind: 'exhausted' });
  });

  test.skipIf(!hasOpenssl())(
    'is reached by TLS, with a user and a password, where its certificate is trusted',
    async () => {
      const authority = createAuthority();
      const { key, cert } = authority.issue('localhost');
      const folder = temporaryFolder();
      const write = (name: string, text: string): string => {
        writeFileSync(join(folder, name), text);
        return join(folder, name);
      };
      const tlsPort = await freePort();
      const files = ['--tls-cert-file', write('cert.pem', cert), '--tls-key-file', write('key.pem', key)];
      const login = ['--user', 'gateway', 'on', '>secret', '~*', '+@all'];
      redis = await startScratchRedis('--tls-port', String(tlsPort), ...files, '--tls-auth-clients', 'no', ...login);
      const url = `rediss://gateway:secret@localhost:${tlsPort}`;
      const trusted = getCACertificates('default');
      const { store, said, messages } = openSharedStore(url);
      await said(/CERT|SIGNED|VERIFY/i);
      const accounts = [accountOf('caller:billing', { budgets: [cents(2)] })];
      expect(await store.reserve(accounts, 1n)).toMatchObject({ kind: 'unavailable' });
      expect(messages.join(' ')).not.toMatch(/secret|localhost/);
      await store.close();
      setDefaultCACertificates([...trusted, authority.cert]);
      try {
        expect(await spendAt(url)).toMatchObject({ kind: 'exhausted' });
      } finally {
        setDefaultCACertificates(trusted);
        authority.remove();
      }
    },
  );
});
