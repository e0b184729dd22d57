import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import type { LedgerConfig } from '../../src/config/port/ledger-config.ts';
import { openLedger } from '../../src/ledger/open-ledger.ts';
import type { LedgerEvent } from '../../src/ledger/port/ledger-figures.ts';
import { system } from '../../src/system.ts';
import { recordWithLittleRoom } from '../support/killed-writers.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { usageRecord } from '../support/usage-records.ts';

const ignore = (): void => undefined;

function sqliteIn(folder: string, more: Partial<LedgerConfig> = {}): LedgerConfig {
  return { store: { sqlite: join(folder, 'usage.db') }, journal: join(folder, 'journal'), isOptional: false, ...more };
}

describe('a ledger', () => {
  test('is of one process: the second is told which setting is in use', async () => {
    const folder = temporaryFolder();
    const first = openLedger(sqliteIn(folder), system, ignore);
    expect(() => openLedger(sqliteIn(folder), system, ignore)).toThrow(
      /^ledger\.journal: ".*" is in use by another process$/,
    );
    const other = sqliteIn(folder, { journal: join(folder, 'other') });
    expect(() => openLedger(other, system, ignore)).toThrow(/^ledger\.sqlite: ".*" is in use by another process$/);
    await first.close();
    await openLedger(sqliteIn(folder), system, ignore).close();
  });

  test('of a program that has nothing else to do lets it end, and has what was recorded', async () => {
    const folder = temporaryFolder();
    const first = openLedger(sqliteIn(folder), system, ignore);
    await first.ready();
    first.record((callId) => [usageRecord({ callId })]);
    first.record((callId) => [usageRecord({ callId, requestId: 'request-2' })]);
    await first.close();
    const second = openLedger(sqliteIn(folder), system, ignore);
    await second.ready();
    const found = await second.queries?.spentSince(0);
    expect(found).toEqual([{ caller: 'billing', group: 'backend', nanoUsd: 5_600_000n }]);
    await second.close();
  });

  test('that is configured and cannot be written ends the start, and one that nobody asked for is told of and done without', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    const config = sqliteIn(folder, { journal: join(folder, 'file', 'journal') });
    expect(() => openLedger(config, system, ignore)).toThrow(/^ledger\.journal: ".*" cannot be written \(ENOTDIR\)$/);
    const events: LedgerEvent[] = [];
    const without = openLedger({ ...config, isOptional: true }, system, (event) => void events.push(event));
    without.record((callId) => [usageRecord({ callId })]);
    await without.ready();
    await without.close();
    expect(events).toEqual([{ kind: 'off', problem: expect.stringContaining('(ENOTDIR)') }]);
    expect(without.queries).toBeUndefined();
  });

  test('whose file is none of ours ends the start', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'usage.db'), 'no database '.repeat(100));
    const ledger = openLedger(sqliteIn(folder), system, ignore);
    await expect(ledger.ready()).rejects.toThrow('ledger.sqlite: cannot be used (file is not a database)');
    await ledger.close();
  });

  test('whose store is gone cannot tell what was spent, so that no budget begins anew', async () => {
    const folder = temporaryFolder();
    const store = { postgres: 'postgres://nobody:secret@127.0.0.1:1/none' };
    const ledger = openLedger({ ...sqliteIn(folder), store }, system, ignore);
    await ledger.ready();
    const error: unknown = await ledger.spentSince(0).catch((thrown: unknown) => thrown);
    expect(String(error)).toContain('ledger: what was spent cannot be read');
    expect(String(error)).not.toContain('secret');
    await ledger.close();
  });

  test('is for nobody else to read', () => {
    const folder = temporaryFolder();
    const ledger = openLedger(sqliteIn(join(folder, 'new', 'folder')), system, ignore);
    expect(existsSync(join(folder, 'new', 'folder', 'journal'))).toBe(true);
    return ledger.close();
  });

  test.skipIf(process.getuid?.() === 0)('in a folder that may not be written says so (skipped for root)', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'closed'));
    chmodSync(join(folder, 'closed'), 0o500);
    const config = sqliteIn(join(folder, 'closed'));
    expect(() => openLedger(config, system, ignore)).toThrow(/cannot be written \(EACCES\)$/);
  });
});

test('what finds no room in the store and in files of the journal is kept in further ones, and found when there is room', async () => {
  const folder = temporaryFolder();
  const config = sqliteIn(folder);
  await recordWithLittleRoom(config, 3_000, 128 * 1024);
  const ledger = openLedger(config, system, ignore);
  await ledger.ready();
  expect(await ledger.queries?.sums({ startMs: 0, endMs: 4e12, equals: new Map() }, [], { limit: 1 })).toMatchObject([
    { attempts: 3_000, requests: 3_000, costNanoUsd: (3_000n * 2_999n * 1_000_003n) / 2n },
  ]);
  await ledger.close();
});
