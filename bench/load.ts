import { once } from 'node:events';
import { connect } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';

import { API_KEY } from './accounts.ts';
import { checkAnswer } from './check.ts';
import { FrameCounter } from './frames.ts';
import type { Scenario } from './scenarios.ts';
import type { ServerProcess } from './servers.ts';

/** How a server is loaded. */
export interface LoadOptions {
  readonly server: Pick<ServerProcess, 'name' | 'port'>;
  readonly scenario: Scenario;
  /** Calls under way at any time, over all connections. */
  readonly inFlight: number;
  readonly connections: number;
  /** Time before counting begins: connections, compilers and pools warm up. */
  readonly warmUpMs: number;
  readonly countMs: number;
  /** Called when counting begins and when it ends. */
  readonly onCounting: (isBeginning: boolean) => Promise<void>;
}

/** What was counted. */
export interface Load {
  readonly calls: number;
  readonly messages: number;
  readonly elapsedMs: number;
  /** Sorted. */
  readonly latenciesMs: readonly number[];
}

/** Every so many calls the answer is decoded and checked whole. */
const DECODE_EVERY = 64;
/** Flow control must not hold a server back. */
const WINDOW_BYTES = 16 * 1024 * 1024;

/**
 * Keeps a number of calls going for some time. Rejects where any call does not end with status 0 and the right number of whole
 * messages, or where one that is decoded says anything but what it should.
 */
export async function load(options: LoadOptions): Promise<Load> {
  const sessions = await Promise.all(
    Array.from({ length: options.connections }, () => openSession(options.server.port)),
  );
  const run = new Run(options.scenario);
  const over = new AbortController();
  try {
    const workers = Array.from({ length: options.inFlight }, async (_, index) => {
      const session = sessions[index % sessions.length];
      if (session !== undefined) await run.work(session);
    });
    const finished = Promise.all(workers);
    await Promise.race([finished, count(run, options, over.signal)]);
    run.stop();
    await finished;
    return run.result();
  } catch (error) {
    throw new Error(`${options.server.name}: ${error instanceof Error ? error.message : 'failed'}`, { cause: error });
  } finally {
    over.abort();
    run.stop();
    for (const session of sessions) session.destroy();
  }
}

async function count(run: Run, { warmUpMs, countMs, onCounting }: LoadOptions, signal: AbortSignal): Promise<void> {
  await sleep(warmUpMs, undefined, { signal });
  await onCounting(true);
  run.startCounting();
  await sleep(countMs, undefined, { signal });
  run.stopCounting();
  await onCounting(false);
}

async function openSession(port: number): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: WINDOW_BYTES } });
  await once(session, 'connect');
  session.setLocalWindowSize(WINDOW_BYTES);
  // A lost session shows in its calls.
  session.on('error', () => undefined);
  return session;
}

class Run {
  readonly #scenario: Scenario;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #latenciesMs: number[] = [];
  #isStopped = false;
  #isCounting = false;
  #started = 0;
  #messages = 0;
  #countedFromMs = 0;
  #elapsedMs = 0;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#headers = {
      ':method': 'POST',
      ':path': scenario.path,
      'content-type': 'application/grpc+proto',
      te: 'trailers',
      authorization: `Bearer ${API_KEY}`,
      'grpc-timeout': '30S',
    };
  }

  /** Makes one call after the other until the run is stopped. */
  async work(session: ClientHttp2Session): Promise<void> {
    while (!this.#isStopped) {
      const startedAtMs = performance.now();
      const messages = await this.#call(session);
      if (!this.#isCounting) continue;
      this.#latenciesMs.push(performance.now() - startedAtMs);
      this.#messages += messages;
    }
  }

  startCounting(): void {
    this.#isCounting = true;
    this.#countedFromMs = performance.now();
  }

  stopCounting(): void {
    this.#isCounting = false;
    this.#elapsedMs = performance.now() - this.#countedFromMs;
  }

  stop(): void {
    this.#isStopped = true;
  }

  result(): Load {
    const latenciesMs = this.#latenciesMs.toSorted((left, right) => left - right);
    return { calls: latenciesMs.length, messages: this.#messages, elapsedMs: this.#elapsedMs, latenciesMs };
  }

  /** Makes one call and returns the number of messages that came. */
  #call(session: ClientHttp2Session): Promise<number> {
    const scenario = this.#scenario;
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const counter = new FrameCounter();
    const kept: Buffer[] | undefined = this.#started % DECODE_EVERY === 0 ? [] : undefined;
    this.#started += 1;
    let status: unknown;
    let message: unknown;
    const stream = session.request(this.#headers);
    stream.on('response', (headers) => {
      status = headers['grpc-status'];
      message = headers['grpc-message'];
    });
    stream.on('trailers', (trailers) => {
      status = trailers['grpc-status'];
      message = trailers['grpc-message'];
    });
    stream.on('data', (chunk: Buffer) => {
      counter.push(chunk);
      kept?.push(chunk);
    });
    stream.on('error', reject);
    stream.on('close', () => {
      try {
        if (status !== '0') throw new Error(`a call ended with gRPC status ${String(status)} (${String(message)})`);
        checkCount(scenario, counter);
        if (kept !== undefined) checkAnswer(scenario, Buffer.concat(kept));
        resolve(counter.messages);
      } catch (error) {
        reject(error);
      }
    });
    stream.end(scenario.body);
    return promise;
  }
}

function checkCount({ title, messages: { least, most } }: Scenario, { messages, isComplete }: FrameCounter): void {
  if (isComplete && messages >= least && messages <= most) return;
  throw new Error(`${title}: ${messages} ${isComplete ? '' : 'and a cut off '}messages came, not ${least} to ${most}`);
}
