import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as passed } from 'node:timers/promises';
import { promisify } from 'node:util';

import { within } from '../../src/server/http/within.ts';
import { system } from '../../src/system.ts';
import { freePort } from '../support/free-port.ts';
import type { ProxyPlaces } from './proxy-config.ts';
import { proxyConfig } from './proxy-config.ts';
import type { ProxyProgram } from './proxy-programs.ts';
import { PROXY_PATH } from './proxy-programs.ts';

/** A proxy that runs. */
export interface RunningProxy {
  /** `127.0.0.1:port` with TLS. */
  readonly grpc: string;
  readonly web: string;
  close(): Promise<void>;
}

/** How long a proxy may take to listen, and to end when it is told to, in milliseconds. */
const START_MS = 20_000;
const END_MS = 3_000;

const execute = promisify(execFile);

/** Writes a configuration into a folder of its own and has the real program check it; rejects with what it says. */
export async function checkedProxyConfig(
  { title, file, adapt, check }: ProxyProgram,
  program: string,
  work: string,
  places: ProxyPlaces,
): Promise<string> {
  await mkdir(work, { recursive: true });
  const config = join(work, file);
  await writeFile(config, adapt(proxyConfig(file, places), work));
  const env = { PATH: PROXY_PATH, HOME: work };
  await execute(program, check(config, work), { env }).catch((error: unknown) => {
    throw new Error(`${title} refuses its configuration`, { cause: error });
  });
  return config;
}

/** Starts a proxy with its shipped configuration and waits until it listens. */
export async function startProxy(
  proxy: ProxyProgram,
  program: string,
  work: string,
  places: Omit<ProxyPlaces, 'listens'>,
): Promise<RunningProxy> {
  const listens = { grpc: await freePort(), web: await freePort() };
  const config = await checkedProxyConfig(proxy, program, work, { ...places, listens });
  const env = { PATH: PROXY_PATH, HOME: work };
  const child = spawn(program, proxy.run(config, work), { cwd: work, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const log = join(work, 'log');
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
  const untilMs = system.now() + START_MS;
  for (const port of Object.values(listens)) {
    while (!(await isListening(port))) {
      if (child.exitCode !== null || system.now() > untilMs) {
        await close();
        throw new Error(`${proxy.title} does not listen: ${(await readFile(log, 'utf8')).slice(-500)}`);
      }
      await passed(50);
    }
  }
  return { grpc: `127.0.0.1:${listens.grpc}`, web: `127.0.0.1:${listens.web}`, close };
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
