import { setTimeout as sleep } from 'node:timers/promises';

import type { ServerProcess } from '../servers/server-process.ts';
import { checkAnswer } from './check.ts';
import type { Caller, Calls } from './doors.ts';
import { openGrpcCalls } from './grpc-calls.ts';
import type { Scenario } from './scenarios.ts';
import { openWebCalls } from './web-calls.ts';

/** Where calls go. */
export type LoadedServer = Pick<ServerProcess, 'name' | 'port' | 'door' | 'headers'>;

/** How a server is loaded. */
export interface LoadOptions {
  readonly server: LoadedServer;
  readonly scenario: Scenario;
  /** Calls under way at any time, over all connections. */
  readonly inFlight: number;
  /** Of gRPC; over HTTP/1.1 each call under way has one of its own. */
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
  readonly connections: number;
  /** Sorted. */
  readonly latenciesMs: readonly number[];
}

/** Every so many calls the answer is decoded and checked whole. */
const DECODE_EVERY = 64;

/**
 * Keeps a number of calls going for some time. Rejects where any call does not end well and with the right number of whole
 * messages, or where one that is decoded says anything but what it should.
 */
export async function load(options: LoadOptions): Promise<Load> {
  const { server, scenario, inFlight, connections } = options;
  const calls = await openCalls(server, scenario, server.door === 'grpc' ? connections : inFlight);
  const run = new Run(calls, (answer) => checkAnswer(scenario, server.door, answer));
  const over = new AbortController();
  try {
    // Calls that take long must not all end together, or a round has one wave of them more or less.
    const spreadMs = scenario.lastsMs / inFlight;
    const workers = Array.from({ length: inFlight }, async (_, index) => {
      if (spreadMs > 0) await sleep(spreadMs * index, undefined, { signal: over.signal });
      await new Worker(run).work();
    });
    const finished = Promise.all(workers);
    await Promise.race([finished, count(run, options, over.signal)]);
    run.isStopped = true;
    await finished;
    return run.result();
  } catch (error) {
    throw failureAt(server, error);
  } finally {
    over.abort();
    run.isStopped = true;
    calls.close();
  }
}

/** Opens so many connections to a server. */
export function openCalls(server: LoadedServer, scenario: Scenario, connections: number): Promise<Calls> {
  const { port, door, headers } = server;
  return door === 'grpc'
    ? openGrpcCalls(port, scenario, connections)
    : openWebCalls({ port, door, headers }, scenario, connections);
}

/** Makes an error that names the server at which another has happened. */
export function failureAt({ name }: LoadedServer, error: unknown): Error {
  return new Error(`${name}: ${error instanceof Error ? error.message : 'failed'}`, { cause: error });
}

async function count(
  run: Run,
  { scenario, warmUpMs, countMs, onCounting }: LoadOptions,
  signal: AbortSignal,
): Promise<void> {
  await sleep(warmUpMs + scenario.lastsMs, undefined, { signal });
  await onCounting(true);
  run.startCounting();
  await sleep(countMs, undefined, { signal });
  run.stopCounting();
  await onCounting(false);
}

/** Makes one call after the other until the run is stopped. */
class Worker implements Caller {
  readonly #run: Run;
  readonly #over = Promise.withResolvers<void>();
  #startedAtMs = 0;
  onAnswer: Caller['onAnswer'];

  constructor(run: Run) {
    this.#run = run;
  }

  /** Resolves when its last call has ended. Rejects where one of them fails. */
  work(): Promise<void> {
    this.#next();
    return this.#over.promise;
  }

  onEnd(messages: number): void {
    this.#run.count(performance.now() - this.#startedAtMs, messages);
    this.#next();
  }

  onFailure(error: unknown): void {
    this.#over.reject(error);
  }

  #next(): void {
    if (this.#run.isStopped) {
      this.#over.resolve();
      return;
    }
    this.onAnswer = this.#run.nextCheck();
    this.#startedAtMs = performance.now();
    this.#run.calls.call(this);
  }
}

class Run {
  readonly calls: Calls;
  readonly #check: (answer: Buffer) => void;
  readonly #latenciesMs: number[] = [];
  #isCounting = false;
  #started = 0;
  #messages = 0;
  #countedFromMs = 0;
  #elapsedMs = 0;
  isStopped = false;

  constructor(calls: Calls, check: (answer: Buffer) => void) {
    this.calls = calls;
    this.#check = check;
  }

  /** What checks the answer of the next call; undefined where nobody does. */
  nextCheck(): Caller['onAnswer'] {
    return this.#started++ % DECODE_EVERY === 0 ? this.#check : undefined;
  }

  /** Counts a call, if it is time. */
  count(latencyMs: number, messages: number): void {
    if (!this.#isCounting) return;
    this.#latenciesMs.push(latencyMs);
    this.#messages += messages;
  }

  startCounting(): void {
    this.#isCounting = true;
    this.#countedFromMs = performance.now();
  }

  stopCounting(): void {
    this.#isCounting = false;
    this.#elapsedMs = performance.now() - this.#countedFromMs;
  }

  result(): Load {
    const latenciesMs = this.#latenciesMs.toSorted((left, right) => left - right);
    return {
      calls: latenciesMs.length,
      messages: this.#messages,
      elapsedMs: this.#elapsedMs,
      connections: this.calls.connections,
      latenciesMs,
    };
  }
}
