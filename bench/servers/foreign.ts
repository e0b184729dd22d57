import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

import { listening } from './listening.ts';
import type { ServerProcess } from './server-process.ts';

/** A gateway of others, and how it is started. */
export interface ForeignServer {
  readonly name: string;
  readonly port: number;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Headers that a call needs. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** How long it may take to listen, in milliseconds. */
const START_MS = 90_000;

/** Of a tick, in which the kernel tells the CPU time of processes. */
const TICK_MICROS = 10_000;

/** Starts a program that is not ours, in a folder. Its CPU time is that of all processes of its group, in hundredths of a second. */
export async function startForeign(
  { name, port, command, args, env, headers }: ForeignServer,
  directory: string,
): Promise<ServerProcess & { stop(): void }> {
  const child = spawn(command, args, {
    cwd: directory,
    detached: true,
    env: { PATH: process.env['PATH'], HOME: directory, ...env },
    stdio: 'ignore',
  });
  child.on('error', () => undefined);
  const { pid = 0 } = child;
  const stop = (): void => {
    if (pid !== 0 && child.exitCode === null && child.signalCode === null) process.kill(-pid, 'SIGKILL');
  };
  process.once('exit', stop);
  try {
    await listening(name, child, port, START_MS);
  } catch (error) {
    stop();
    throw error;
  }
  return {
    name,
    port,
    door: 'completions',
    headers,
    ask: () => Promise.resolve({ cpuMicros: groupCpuMicros(pid) }),
    stop,
  };
}

/** CPU time of the processes of a group, and of those that they have had, in microseconds. */
function groupCpuMicros(group: number): number {
  let ticks = 0;
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const [, , itsGroup, ...rest] = statOf(entry);
    // utime, stime, cutime, cstime of proc_pid_stat(5)
    if (Number(itsGroup) === group) ticks += rest.slice(8, 12).reduce((sum, field) => sum + Number(field), 0);
  }
  return ticks * TICK_MICROS;
}

/** The fields of a process from its state on; none where it has ended. */
function statOf(pid: string): readonly string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}
