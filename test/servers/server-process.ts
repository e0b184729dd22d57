import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';

import { within } from '../../src/server/http/within.ts';
import { system } from '../../src/system.ts';

/** How often a server that starts is asked whether it is there, in milliseconds. */
const ASK_MS = 250;

/** How long a server may take to end when it is told to, in milliseconds. */
const END_MS = 5_000;

/** How a server is started. */
export interface ServerStart {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The file that gets what it prints. */
  readonly log: string;
  /** What answers with success when the server is ready. */
  readonly readyUrl: string;
  /** How long that may take, in milliseconds. */
  readonly withinMs: number;
}

/** A server that runs. */
export interface RunningServer {
  close(): Promise<void>;
}

/** Starts a server of loopback and waits until it is ready; throws where it ends before, or takes too long. */
export async function startServer({
  program,
  args,
  env = {},
  log,
  readyUrl,
  withinMs,
}: ServerStart): Promise<RunningServer> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(program, args, { env: { PATH, HOME, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const file = createWriteStream(log);
  child.stdout.pipe(file, { end: false });
  child.stderr.pipe(file, { end: false });
  const exited = once(child, 'exit');
  const close = async (): Promise<void> => {
    child.kill('SIGTERM');
    if (!(await within(system, END_MS, exited))) child.kill('SIGKILL');
    await exited;
    file.end();
  };
  const untilMs = system.now() + withinMs;
  while (!(await answers(readyUrl))) {
    if (child.exitCode !== null) throw new Error(`it ended at once; see ${log}`);
    if (system.now() > untilMs) {
      await close();
      throw new Error(`it was not ready within ${withinMs / 1_000} s; see ${log}`);
    }
    await within(system, ASK_MS, exited);
  }
  return { close };
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.arrayBuffer();
    return response.ok || response.status === 401;
  } catch {
    return false;
  }
}
