import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { LedgerConfig } from '../../src/config/port/ledger-config.ts';
import { openLedger } from '../../src/ledger/open-ledger.ts';
import { PostgresStore } from '../../src/ledger/store/postgres-store.ts';
import { SqliteStore } from '../../src/ledger/store/sqlite-store.ts';
import type { UsageStore } from '../../src/ledger/store/usage-store.ts';
import { system } from '../../src/system.ts';
import { recordThroughKills } from '../support/killed-writers.ts';
import { postgresPrograms, type ScratchPostgres, startScratchPostgres } from '../support/scratch-postgres.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ATTEMPTS = 10_000;
/** The sum of all costs: a million and three for each number. */
const COST = (BigInt(ATTEMPTS) * BigInt(ATTEMPTS - 1) * 1_000_003n) / 2n;
const COUNTS =
  'SELECT count(*) AS rows, count(DISTINCT request_id) AS requests, CAST(sum(cost_nano_usd) AS bigint) AS cost';

async function isWhole(config: LedgerConfig, store: UsageStore): Promise<void> {
  const kills = await recordThroughKills(config, ATTEMPTS, () => Math.random());
  expect(kills).toBeGreaterThanOrEqual(6);
  // Whoever comes next finds what the last one has left.
  const ledger = openLedger(config, system, () => undefined);
  await ledger.ready();
  await ledger.close();
  const [counts] = await store.read(`${COUNTS} FROM usage_attempts`, []);
  await store.close();
  expect(counts).toEqual({ rows: BigInt(ATTEMPTS), requests: BigInt(ATTEMPTS), cost: COST });
}

describe('ten thousand attempts recorded by processes that are killed with kill -9', () => {
  test('are all in SQLite, none twice, and their sum is exact', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'usage.db');
    const config = { store: { sqlite: path }, journal: join(folder, 'journal'), isOptional: false };
    await isWhole(config, new SqliteStore(path));
  });

  describe.skipIf(postgresPrograms() === undefined)('in PostgreSQL (skipped where it is not installed)', () => {
    let server: ScratchPostgres;
    beforeAll(async () => {
      server = await startScratchPostgres(postgresPrograms() ?? '');
    });
    afterAll(() => server.stop());

    test('are all there, none twice, and their sum is exact', async () => {
      const journal = join(temporaryFolder(), 'journal');
      const config = { store: { postgres: server.url }, journal, isOptional: false };
      await isWhole(config, new PostgresStore(server.url));
    });
  });
});
