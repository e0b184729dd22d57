import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 25;

/** Resolves when a process listens at a port. Rejects where it ends before, or takes longer than `most` milliseconds. */
export async function listening(name: string, child: ChildProcess, port: number, most: number): Promise<void> {
  const giveUpAtMs = performance.now() + most;
  while (performance.now() < giveUpAtMs) {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null)
      throw new Error(`the process ${name} did not start`);
    if (await answers(port)) return;
    await sleep(POLL_MS);
  }
  throw new Error(`the process ${name} does not listen`);
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
