import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ConfigInput } from '../../src/config/file/schema.ts';
import { openRpcClient, type RpcClient } from './rpc-client.ts';
import { startScratchRedis } from './scratch-redis.ts';
import { startUnderstudy } from './understudy-process.ts';

/** Gateways that count together. */
export interface RaceGateways {
  readonly clients: readonly RpcClient[];
  /** Returns the key of the caller of a run, whose budget nobody else spends. */
  keyOf(run: number): string;
  /** What the store knows to be spent by the caller of a run, in nano-USD. */
  bookedBy(run: number): bigint;
  close(): Promise<void>;
}

function keyOf(run: number): string {
  return `key-of-run-${run}`;
}

/** Starts two processes with one Redis, and callers with a budget of 1.00 USD each for so many runs. */
export async function startRaceGateways(targets: ConfigInput['targets'], runs: number): Promise<RaceGateways> {
  const redis = await startScratchRedis();
  const folder = await mkdtemp(join(tmpdir(), 'understudy-race-'));
  const path = join(folder, 'race.json');
  const config: ConfigInput = {
    targets,
    callers: Array.from({ length: runs }, (_, index) => ({
      name: `run-${index + 1}`,
      api_keys: [
        {
          sha256: createHash('sha256')
            .update(keyOf(index + 1))
            .digest('hex'),
        },
      ],
      budget: { usd: '1.00', per: 'day' },
    })),
    // Two gateways, their Redis and the callers share the machine: what is tried is the budget, not who gets a core in 20 ms.
    limits: { store: redis.url, timeout: '200ms' },
  };
  await writeFile(path, JSON.stringify(config));
  const processes = [1, 2].map(() => startUnderstudy(['--config', path]));
  const doors = await Promise.all(processes.map(({ doors }) => doors));
  const clients = doors.map(({ grpc }) => openRpcClient(grpc));
  return {
    clients,
    keyOf,
    bookedBy: (run) => {
      const name = `caller:run-${run}`;
      return BigInt(redis.command('HGET', `understudy:{${name}}${name}`, 'day.spent'));
    },
    close: async () => {
      for (const client of clients) client.close();
      for (const one of processes) one.kill('SIGTERM');
      await Promise.all(processes.map(({ ended }) => ended));
      await redis.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
