import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import type { LedgerConfig } from '../../src/config/port/ledger-config.ts';

const WRITER = fileURLToPath(new URL('ledger-writer.ts', import.meta.url));

/** So many processes at the least share the work: one that has done its part waits to be killed. */
const PARTS = 7;

/**
 * Has attempts recorded by one process after the other, each of which is killed at a place that chance chooses, until all are recorded.
 *
 * @param random from 0 to 1
 * @returns how many processes were killed: six at the least
 */
export async function recordThroughKills(
  config: LedgerConfig,
  attempts: number,
  random: () => number,
): Promise<number> {
  let recorded = 0;
  let kills = 0;
  while (recorded < attempts) {
    // Some are killed while they bring to the store what the last one has left.
    const part = Math.ceil(attempts / PARTS);
    const killAt = recorded + (random() < 0.4 ? 0 : Math.floor(random() * part));
    const numbers = [recorded, attempts, part].map(String);
    const child = spawn(process.execPath, [WRITER, JSON.stringify(config), ...numbers], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    recorded = Math.max(recorded, await lastSaid(child, killAt));
    if (child.signalCode === 'SIGKILL') kills += 1;
    else if (child.exitCode !== 0) throw new Error(`the writer ended with ${child.exitCode}`);
  }
  return kills;
}

async function lastSaid(child: ChildProcess, killAt: number): Promise<number> {
  let said = '';
  const last = (): number => Number(said.slice(0, said.lastIndexOf('\n')).split('\n').at(-1));
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (last() >= killAt) child.kill('SIGKILL');
  });
  await once(child, 'close');
  return last();
}

/** Has attempts recorded by a process none of whose files may become larger; what it cannot keep is left in its journal. */
export async function recordWithLittleRoom(config: LedgerConfig, attempts: number, fileBytes: number): Promise<void> {
  const command = [process.execPath, WRITER, JSON.stringify(config), '0', String(attempts), String(attempts)];
  const limited = `trap '' XFSZ; ulimit -f ${fileBytes / 512}; exec "$0" "$@"`;
  const child = spawn('/bin/sh', ['-c', limited, ...command], { stdio: ['ignore', 'ignore', 'inherit'] });
  await once(child, 'close');
  if (child.exitCode !== 0) throw new Error(`the writer ended with ${child.exitCode}`);
}
