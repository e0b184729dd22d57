import { load } from './load.ts';
import type { Load } from './load.ts';
import type { Scenario } from './scenarios.ts';
import type { ServerProcess } from '../servers/server-process.ts';

/** How much load, and for how long. */
export interface LoadPlan {
  readonly inFlight: number;
  /** Of gRPC; over HTTP/1.1 each call under way has one of its own. */
  readonly connections: number;
  readonly warmUpMs: number;
  readonly countMs: number;
}

/** One server under one kind of load. CPU times are those of whole processes, all threads. */
export interface Round {
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly messagesPerCall: number;
  readonly connections: number;
  /** CPU time of the server for one call, in microseconds: hardly moved by what else the machine does. */
  readonly cpuMicrosPerCall: number;
  /** CPU time as a share of the time that passed; 1 is one core. */
  readonly busy: { readonly server: number; readonly generator: number; readonly upstream: number };
}

/** Loads a server for one round and measures it. Rejects where an answer is wrong. */
export async function measureRound(
  server: ServerProcess,
  upstream: ServerProcess,
  scenario: Scenario,
  plan: LoadPlan,
): Promise<Round> {
  const marks: {
    readonly atMs: number;
    readonly server: number;
    readonly generator: number;
    readonly upstream: number;
  }[] = [];
  const counted = await load({
    ...plan,
    server,
    scenario,
    onCounting: async () => {
      const [own, provider] = await Promise.all([server.ask({ ask: 'cpu' }), upstream.ask({ ask: 'cpu' })]);
      const { user, system } = process.cpuUsage();
      const atMs = performance.now();
      marks.push({ atMs, server: own.cpuMicros, generator: user + system, upstream: provider.cpuMicros });
    },
  });
  const [from, to] = marks;
  if (from === undefined || to === undefined || counted.calls === 0) throw new Error('nothing was counted');
  const elapsedMs = to.atMs - from.atMs;
  const share = (micros: number): number => micros / 1_000 / elapsedMs;
  const callsPerSecond = (counted.calls / counted.elapsedMs) * 1_000;
  const busy = {
    server: share(to.server - from.server),
    generator: share(to.generator - from.generator),
    upstream: share(to.upstream - from.upstream),
  };
  return {
    callsPerSecond,
    ...percentiles(counted),
    messagesPerCall: counted.messages / counted.calls,
    connections: counted.connections,
    cpuMicrosPerCall: (busy.server / callsPerSecond) * 1e6,
    busy,
  };
}

function percentiles({ latenciesMs }: Load): Pick<Round, 'p50Ms' | 'p99Ms'> {
  const at = (share: number): number =>
    latenciesMs[Math.min(latenciesMs.length - 1, Math.floor(latenciesMs.length * share))] ?? 0;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}
