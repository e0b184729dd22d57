import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { freePort } from '../../test/support/free-port.ts';

import { gatewayConfig } from './gateway-config.ts';
import type { ServerProcess } from './server-process.ts';

/** A gateway that was started from a `dist`, as an image starts it, without anything of the bench in its process. */
export interface Compiled {
  readonly port: number;
  /** From the start of the process to its description, which it writes when its doors are open, in milliseconds. */
  readonly readyMs: number;
  /** CPU time of all threads until then, in milliseconds; NaN where the system does not tell it. */
  readonly readyCpuMs: number;
  /** Resident memory, in MiB. */
  residentMib(): number;
  stop(): Promise<void>;
}

/** The checkouts to compare, by name: this one, and another where there is one. Throws where one is not built. */
export function checkouts(other: string | undefined): ReadonlyMap<string, string> {
  const folders = new Map([['this', resolve(import.meta.dirname, '../..')]]);
  if (other !== undefined) folders.set('other', resolve(other));
  for (const folder of folders.values())
    if (!existsSync(join(folder, 'dist/src/main.js'))) throw new Error(`${folder} is not built: npm run build there`);
  return folders;
}

/**
 * Starts the gateway of a checkout. Resolves when it is ready.
 *
 * @param directory its home: for its configuration, and what it has compiled
 */
export async function startCompiled(
  checkout: string,
  upstream: Pick<ServerProcess, 'port'>,
  ports: Ports,
  directory: string,
): Promise<Compiled> {
  const path = join(mkdtempSync(join(directory, 'gateway-')), 'config.json');
  writeFileSync(path, JSON.stringify(gatewayConfig(upstream, ports)));
  const startedAtMs = performance.now();
  const child = spawn(process.execPath, [join(checkout, 'dist/src/main.js'), '--config', path], {
    env: { HOME: directory },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await described(child);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  const readyMs = performance.now() - startedAtMs;
  const readyCpuMs = cpuMs(child);
  // What it logs is read, and costs it nothing.
  child.stdout.resume();
  return {
    port: ports.grpc,
    readyMs,
    readyCpuMs,
    residentMib: () => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1_024,
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Addresses of one gateway. */
export interface Ports {
  readonly grpc: number;
  readonly web: number;
  readonly admin: number;
}

/** Finds ports for the doors of a gateway. */
export async function freePorts(): Promise<Ports> {
  return { grpc: await freePort(), web: await freePort(), admin: await freePort() };
}

async function described(child: ChildProcess): Promise<void> {
  let text = '';
  for await (const data of child.stdout?.iterator({ destroyOnReturn: false }) ?? []) {
    text += String(data);
    if (text.includes('admin  http://')) return;
  }
  throw new Error(`a gateway did not start: ${text}`);
}

function cpuMs({ pid }: ChildProcess): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const nanos = threads.map((thread) =>
      Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
    );
    return nanos.reduce((sum, each) => sum + each, 0) / 1e6;
  } catch {
    return Number.NaN;
  }
}
