import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { createGateway } from '../../src/index.ts';
import { askStore } from '../../src/ledger/queries/ask-store.ts';
import { PostgresStore } from '../../src/ledger/store/postgres-store.ts';
import { SqliteStore } from '../../src/ledger/store/sqlite-store.ts';
import { openRpcClient } from '../support/rpc-client.ts';
import { postgresPrograms, startScratchPostgres } from '../support/scratch-postgres.ts';
import { firstStatus } from '../support/status-events.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { startUnderstudy } from '../support/understudy-process.ts';

const ALL = { startMs: 0, endMs: Date.UTC(2100, 0, 1), equals: new Map() } as const;

const programs = postgresPrograms();

test.skipIf(programs === undefined)(
  'calls go on while PostgreSQL is gone, and are all in it when it is back (skipped where it is not installed)',
  async () => {
    const server = await startScratchPostgres(programs ?? '');
    onTestFinished(() => server.stop());
    const config = join(temporaryFolder(), 'understudy.yaml');
    writeFileSync(config, 'targets: [{ name: only, provider: mock }]\nledger:\n  postgres: ${DATABASE_URL}\n');
    const child = startUnderstudy(['--config', config], { DATABASE_URL: server.url });
    onTestFinished(() => child.close());
    const { grpc, admin } = await child.doors;
    const client = openRpcClient(grpc);
    onTestFinished(() => client.close());
    const ask = (): Promise<unknown> => client.call(LlmService.method.generate, { prompt: 'Who is there?' });
    await ask();
    await server.fail();
    for (let calls = 0; calls < 20; calls++) await ask();
    await child.printed('the store of the ledger takes nothing: usage waits');
    expect(await firstStatus(admin)).toMatch(/"ledgerGoneSinceMs":\d{13}/);
    expect(await (await fetch(`${admin}/metrics`)).text()).toMatch(/^understudy_ledger_waiting (20|21)$/m);
    await server.start();
    await child.printed('the store of the ledger takes usage again');
    await ask();
    child.kill('SIGTERM');
    expect((await child.ended).code).toBe(0);
    expect(child.stdout()).not.toContain(server.url);
    const store = new PostgresStore(server.url);
    const sums = await askStore(store).sums(ALL, [], { limit: 1 });
    expect(sums).toMatchObject([{ requests: 22, attempts: 22 }]);
    await store.close();
  },
);

test('a gateway in a program keeps a ledger too, where it is configured', async () => {
  const path = join(temporaryFolder(), 'usage.db');
  const config = { targets: [{ name: 'only', provider: 'mock' as const }], ledger: { sqlite: path } };
  const gateway = createGateway({ config });
  await gateway.generate({ prompt: 'Who is there?' });
  await gateway.close();
  const store = new SqliteStore(path);
  expect(await askStore(store).sums(ALL, ['target'], { limit: 9 })).toMatchObject([{ keys: ['only'], requests: 1 }]);
  await store.close();
});
