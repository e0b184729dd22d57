import { accessSync, constants, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { LedgerConfig } from '../config/port/ledger-config.ts';
import { ConfigError } from '../config/port/problem.ts';
import type { System } from '../core/ports.ts';
import { Journal } from './journal/journal.ts';
import { takeLock } from './journal/process-lock.ts';
import type { LedgerEvent, LedgerFigures } from './port/ledger-figures.ts';
import type { UsageQueries } from './port/usage-queries.ts';
import type { UsageRecord } from './port/usage-record.ts';
import { askStore } from './queries/ask-store.ts';
import { OldRows } from './old-rows.ts';
import { PostgresStore } from './store/postgres-store.ts';
import { SqliteStore } from './store/sqlite-store.ts';
import { StoreError } from './store/usage-store.ts';
import { UsageLedger } from './usage-ledger.ts';

/** A ledger that takes records, and tells of them. */
export interface OpenLedger {
  /** What it does; absent where there is none. */
  readonly figures?: LedgerFigures | undefined;
  /** What tells of usage; absent where there is no ledger. */
  readonly queries?: UsageQueries | undefined;
  /** Takes what makes the records of a call, given an id for it that is unique for all time: no id of a caller is. */
  record(recordsOf: (callId: string) => readonly UsageRecord[]): void;
  /**
   * Opens the store and brings it what an earlier process has left, before any call is taken. A store that is gone is tried again.
   *
   * @throws ConfigError where the configuration is to blame
   */
  ready(): Promise<void>;
  /**
   * Reads what was spent, for budgets that this process counts itself.
   *
   * @throws ConfigError where the store is gone: those budgets would begin anew
   */
  spentSince(sinceMs: number): ReturnType<UsageQueries['spentSince']>;
  /** Writes what waits, for a second at most: the rest is in the journal. */
  close(): Promise<void>;
}

/**
 * Opens the journal of a ledger; its store is opened by `ready`.
 *
 * @param config absent: there is none
 * @param happened hears what an operator should know; not called before this returns
 * @throws ConfigError where its files cannot be written or another process has them, unless it is optional
 */
export function openLedger(
  config: LedgerConfig | undefined,
  system: System,
  happened: (event: LedgerEvent) => void,
): OpenLedger {
  if (config === undefined) return withoutLedger(async () => undefined);
  try {
    return openConfigured(config, system, happened);
  } catch (error) {
    if (!config.isOptional || !(error instanceof ConfigError)) throw error;
    return withoutLedger(async () => happened({ kind: 'off', problem: error.message }));
  }
}

function openConfigured(config: LedgerConfig, system: System, happened: (event: LedgerEvent) => void): OpenLedger {
  const unlock = lockFiles(config);
  const store =
    'sqlite' in config.store ? new SqliteStore(config.store.sqlite) : new PostgresStore(config.store.postgres);
  const ledger = new UsageLedger({ store, journal: new Journal(config.journal), system, happened });
  const old = config.keepMs === undefined ? undefined : new OldRows(store, system, config.keepMs);
  const queries = askStore(store);
  // What of a UUID is chance.
  const processId = system.newId().replaceAll('-', '').slice(12);
  let isOff = false;
  let isComplete = false;
  // Of ten digits, so that neighbours in time are neighbours in the store's index.
  let calls = 1_000_000_000;
  return {
    figures: ledger,
    queries,
    record: (recordsOf) => {
      if (!isOff) ledger.record(() => recordsOf(`${processId}-${calls++}`));
    },
    ready: async () => {
      try {
        isComplete = await ledger.open();
        old?.start();
      } catch (error) {
        const problem = { path: `ledger.${store.dialect}`, message: `cannot be used (${codeOf(error)})` };
        if (!config.isOptional) throw new ConfigError([problem]);
        isOff = true;
        happened({ kind: 'off', problem: `${problem.path} ${problem.message}` });
      }
    },
    spentSince: async (sinceMs) => {
      const message = 'what was spent cannot be read: budgets that are counted in memory would begin anew';
      if (!isComplete) throw new ConfigError([{ path: 'ledger', message }]);
      return queries.spentSince(sinceMs).catch(() => {
        throw new ConfigError([{ path: 'ledger', message }]);
      });
    },
    close: async () => {
      old?.stop();
      await ledger.close();
      unlock();
    },
  };
}

function withoutLedger(ready: () => Promise<void>): OpenLedger {
  return { record: () => undefined, ready, spentSince: async () => [], close: async () => undefined };
}

function codeOf(error: unknown): string {
  if (error instanceof StoreError) return error.message;
  return error instanceof Error && 'code' in error ? String(error.code) : 'failed';
}

function lockFiles({ store, journal }: LedgerConfig): () => void {
  const locks = [lockIn(journal, join(journal, 'lock'), 'ledger.journal', journal)];
  if ('sqlite' in store) {
    try {
      locks.push(lockIn(dirname(store.sqlite), `${store.sqlite}.lock`, 'ledger.sqlite', store.sqlite));
    } catch (error) {
      locks[0]?.();
      throw error;
    }
  }
  return () => {
    for (const unlock of locks) unlock();
  };
}

/** Makes a folder where there is none, and takes a lock in it; errors name the field and its path. */
function lockIn(folder: string, lock: string, field: string, path: string): () => void {
  let unlock: (() => void) | undefined;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK);
    unlock = takeLock(lock);
  } catch (error) {
    throw new ConfigError([{ path: field, message: `${JSON.stringify(path)} cannot be written (${codeOf(error)})` }]);
  }
  if (unlock !== undefined) return unlock;
  throw new ConfigError([{ path: field, message: `${JSON.stringify(path)} is in use by another process` }]);
}
