import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort } from './free-port.ts';

/** A redis-server of a test's own. */
export interface ScratchRedis {
  readonly port: number;
  readonly url: string;
  /** Sends one command by redis-cli; returns what is answered. */
  command(...words: string[]): string;
  /** Ends the server at once, with all that it knew. */
  kill(): Promise<void>;
  /** Starts it again on its port, knowing nothing. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Whether redis-server and redis-cli are there. */
export function hasRedis(): boolean {
  try {
    for (const program of ['redis-server', 'redis-cli']) execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Starts a redis-server that writes nothing to disk, on a free port, in a temporary folder. */
export async function startScratchRedis(...options: string[]): Promise<ScratchRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-redis-'));
  const port = await freePort();
  const launch = async () => {
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', ...options];
    const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    for await (const chunk of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
      said += String(chunk);
      if (said.includes('Ready to accept connections')) break;
    }
    child.stdout.resume();
    return child;
  };
  let child = await launch();
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    command: (...words) => execFileSync('redis-cli', ['-p', String(port), ...words], { encoding: 'utf8' }).trim(),
    kill,
    start: async () => {
      child = await launch();
    },
    stop: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
