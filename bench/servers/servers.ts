import { fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { freePort } from '../../test/support/free-port.ts';
import { accountSections } from './accounts.ts';
import { gatewayConfig, gatewayTargets, originOf } from './gateway-config.ts';
import type { Ask, Reply } from './guard.ts';
import { listening } from './listening.ts';
import type { ServerProcess } from './server-process.ts';

const ENTRY = 'bin/understudy.js';

/** How long a process may take to listen, in milliseconds. */
const START_MS = 30_000;

/** The processes that the bench has started, and the end of all of them. */
export class Servers {
  readonly #children = new Set<ChildProcess>();
  readonly #directory: string;

  /** @param directory where config files may be written */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Starts the fake provider. */
  async startUpstream(): Promise<ServerProcess> {
    const upstream = await this.#start('upstream', './upstream.ts', (port) => [String(port)]);
    return { ...upstream, door: 'completions' };
  }

  /** Starts the floor. */
  startFloor(upstream: ServerProcess): Promise<ServerProcess> {
    return this.#start('floor', './floor.ts', (port) => [String(port), originOf(upstream)]);
  }

  /** Starts what an engineer would write without an engine. */
  startPlain(upstream: ServerProcess): Promise<ServerProcess> {
    return this.#start('plain', './plain.ts', (port) => [String(port), originOf(upstream)]);
  }

  /** Starts grpc-js and undici without a gateway. */
  startBare(upstream: ServerProcess): Promise<ServerProcess> {
    return this.#start('grpc-js', './bare.ts', (port) => [String(port), originOf(upstream)]);
  }

  /** Starts the gateway as it is shipped, with one target and every default. */
  startGateway(upstream: ServerProcess): Promise<ServerProcess> {
    return this.#startGateway('gateway', upstream, {});
  }

  /** Starts the gateway of another checkout, whose packages are installed, as it is shipped. */
  startOther(upstream: ServerProcess, checkout: string): Promise<ServerProcess> {
    return this.#startGateway('gateway other', upstream, {}, {}, pathToFileURL(resolve(checkout, ENTRY)).href);
  }

  /** Starts the gateway with so many targets in its route, of which the first answers. */
  async startLong(upstream: ServerProcess, count: number): Promise<ServerProcess> {
    const [first] = gatewayTargets(upstream);
    const names = ['bench', ...Array.from({ length: count - 1 }, (_, index) => `bench-${index + 2}`)];
    const targets = names.map((name) => ({ ...first, name }));
    return { ...(await this.#startGateway(`gateway+${count} targets`, upstream, { targets })), targets: names };
  }

  /**
   * Starts the gateway with callers, limits, budgets and a ledger.
   *
   * @param store URL of a Redis; undefined counts in memory
   */
  startAccounted(upstream: ServerProcess, store: string | undefined): Promise<ServerProcess> {
    const name = store === undefined ? 'memory' : 'redis';
    // A process that is started again shall not find what the one before has left to write.
    const directory = mkdtempSync(join(this.#directory, 'ledger-'));
    return this.#startGateway(`gateway+${name}`, upstream, accountSections(directory, store));
  }

  /** Starts the gateway with every call traced, or a share of them, and a collector that takes its spans and metrics. */
  async startTraced(upstream: ServerProcess, share: string): Promise<ServerProcess> {
    const collector = await this.#start('collector', './collector.ts', (port) => [String(port)]);
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: originOf(collector),
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: share,
    };
    return this.#startGateway(`gateway+traces ${share}`, upstream, {}, env);
  }

  /** Starts a way to a port that takes so many milliseconds each way, and returns its own. */
  async startRelay(port: number, delayMs: number): Promise<number> {
    const relay = await this.#start('relay', './relay.ts', (own) => [String(own), String(port), String(delayMs)]);
    return relay.port;
  }

  /** Starts a Redis that keeps nothing on disk, and returns its URL. */
  async startRedis(): Promise<string> {
    const port = await freePort();
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const child = spawn('redis-server', args, { cwd: this.#directory, stdio: 'ignore' });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    await listening('redis-server', child, port, START_MS);
    return `redis://127.0.0.1:${port}`;
  }

  async #startGateway(
    name: string,
    upstream: ServerProcess,
    sections: object,
    env: Readonly<Record<string, string>> = {},
    script = `../../${ENTRY}`,
  ): Promise<ServerProcess> {
    const [web, admin] = [await freePort(), await freePort()];
    const argumentsFor = (port: number): string[] => {
      const path = join(this.#directory, `${name}.json`);
      writeFileSync(path, JSON.stringify({ ...gatewayConfig(upstream, { grpc: port, web, admin }), ...sections }));
      return ['--config', path];
    };
    return {
      ...(await this.#start(name, script, argumentsFor, env)),
      webPort: web,
      adminPort: admin,
    };
  }

  /** Ends every process that was started here, and waits until they are gone. */
  async stop(): Promise<void> {
    await Promise.all(
      [...this.#children].map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const ended = once(child, 'exit');
        child.kill('SIGKILL');
        await ended;
      }),
    );
  }

  async #start(
    name: string,
    script: string,
    argumentsFor: (port: number) => string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<ServerProcess> {
    const port = await freePort();
    const child = fork(new URL(script, import.meta.url), argumentsFor(port), {
      execArgv: ['--import', new URL('guard.ts', import.meta.url).href],
      // The environment may hold keys, and with them targets.
      env: { PATH: process.env['PATH'], ...env },
      // What a server logs is written, but costs its reader nothing.
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    await listening(name, child, port, START_MS);
    return { name, port, door: 'grpc', ask: (ask) => askChild(name, child, ask) };
  }
}

async function askChild(name: string, child: ChildProcess, ask: Ask): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const onExit = (): void => reject(new Error(`the process ${name} has ended`));
  const onMessage = (message: unknown): void => resolve(readReply(message));
  child.once('exit', onExit);
  child.once('message', onMessage);
  try {
    child.send(ask, (error) => {
      if (error !== null) reject(error);
    });
    return await promise;
  } finally {
    child.off('exit', onExit);
    child.off('message', onMessage);
  }
}

/** What guard.ts sends is all that comes. */
function readReply(message: unknown): Reply {
  return message as Reply;
}
