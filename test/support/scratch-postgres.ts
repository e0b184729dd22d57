import { execFile, execFileSync } from 'node:child_process';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { freePort } from './free-port.ts';

const run = promisify(execFile);

/** A PostgreSQL of a test's own. */
export interface ScratchPostgres {
  readonly url: string;
  /** Ends it as if its machine had failed; `start` has it come back at the same address. */
  fail(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Finds the programs of PostgreSQL; undefined where they are missing. */
export function postgresPrograms(): string | undefined {
  try {
    const versions = readdirSync('/usr/lib/postgresql').sort((one, other) => Number(other) - Number(one));
    return versions[0] === undefined ? undefined : `/usr/lib/postgresql/${versions[0]}/bin`;
  } catch {
    return undefined;
  }
}

/** Starts a PostgreSQL in a temporary folder, as the user postgres where this one is root, which it refuses. */
export async function startScratchPostgres(programs: string): Promise<ScratchPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-postgres-'));
  const isRoot = process.getuid?.() === 0;
  if (isRoot) {
    const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' })));
    await chown(folder, uid ?? 0, gid ?? 0);
    await chmod(folder, 0o700);
  }
  const data = join(folder, 'data');
  const command = async (line: string): Promise<void> => {
    const program = isRoot ? 'su' : '/bin/sh';
    const args = isRoot ? ['postgres', '-s', '/bin/sh', '-c', line] : ['-c', line];
    await run(program, args, { cwd: '/' });
  };
  const port = await freePort();
  await command(`${programs}/initdb -D ${data} -U postgres -A trust -E UTF8 --locale=C.UTF-8 -N`);
  const options = `-p ${port} -c listen_addresses=127.0.0.1 -k ${folder} -F`;
  const start = (): Promise<void> => command(`${programs}/pg_ctl -D ${data} -w -l ${folder}/log -o "${options}" start`);
  const fail = (): Promise<void> => command(`${programs}/pg_ctl -D ${data} -m immediate stop`);
  await start();
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    start,
    fail,
    stop: async () => {
      await fail().catch(() => undefined);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
