import { loadOpenly } from '../calls/open-load.ts';
import { measureRound } from '../calls/measure.ts';
import type { Scenario } from '../calls/scenarios.ts';
import type { Options } from '../options.ts';
import { markdownTable, median, medianAndRange } from '../report/table.ts';
import type { ServerProcess } from '../servers/server-process.ts';
import type { Servers } from '../servers/servers.ts';
import { startChosen, warmUp } from './compare.ts';

/** The share of what a server can do at most at which it is asked. */
const SHARE = 0.5;
/** Rounds from which it is known what a server can do. */
const SATURATING_ROUNDS = 3;

/** A call that takes longer than so many milliseconds has been held up. */
const HELD_UP_MS = 2;

const HEADS = [
  'call',
  'server',
  'calls/s',
  'p50 ms',
  'p99 ms',
  `above ${HELD_UP_MS} ms %`,
  'p50 added ms',
  'p99 added ms',
];

/** Latencies of one round, in milliseconds, and the share of calls that were held up, in percent. */
interface Latencies {
  readonly p50: number;
  readonly p99: number;
  readonly heldUp: number;
}

/**
 * Asks each server, at half of the calls per second that it can do, by the clock and not by the answers, in turns with the upstream
 * itself, and with the server without an engine where that is wanted, at the same rate; and says medians and ranges, and what each adds.
 */
export async function measureAddedLatency(
  servers: Servers,
  options: Options,
  say: (text: string) => void,
): Promise<void> {
  const upstream = await servers.startUpstream();
  const chosen = await startChosen(servers, upstream, options);
  const engineless = options.isPlain ? [await servers.startPlain(upstream)] : [];
  const rows: string[][] = [];
  for (const scenario of options.scenarios.filter(({ name }) => name === 'chat' || name === 'joined')) {
    for (const server of engineless) await warmUp(server, scenario, options.plan, options.warmUpMs);
    for (const server of chosen) rows.push(...(await rowsOf(server, engineless, upstream, scenario, options)));
  }
  say(markdownTable(HEADS, rows));
}

async function rowsOf(
  server: ServerProcess,
  others: readonly ServerProcess[],
  upstream: ServerProcess,
  scenario: Scenario,
  { plan, rounds, warmUpMs }: Options,
): Promise<string[][]> {
  await warmUp(server, scenario, plan, warmUpMs);
  const saturated: number[] = [];
  for (let round = 0; round < SATURATING_ROUNDS; round++)
    saturated.push((await measureRound(server, upstream, scenario, plan)).callsPerSecond);
  const callsPerSecond = median(saturated) * SHARE;
  const direct = new Array<Latencies>();
  const through = [...others, server].map((each) => ({ server: each, found: new Array<Latencies>() }));
  for (let round = 0; round <= rounds; round++) {
    const inTurn = [{ server: upstream, found: direct }, ...through];
    for (const { server: each, found } of inTurn) {
      const latencies = await latenciesOf(each, scenario, callsPerSecond, plan);
      // The first round compiles the generator's own code.
      if (round > 0) found.push(latencies);
    }
  }
  const rowOf = (name: string, found: readonly Latencies[], added: readonly string[]): string[] => {
    const shown = (key: keyof Latencies): string => medianAndRange(found.map((each) => each[key]));
    return [scenario.name, name, callsPerSecond.toFixed(0), shown('p50'), shown('p99'), shown('heldUp'), ...added];
  };
  const added = (found: readonly Latencies[], key: keyof Latencies): string =>
    medianAndRange(found.map((each, round) => each[key] - (direct[round]?.[key] ?? Number.NaN)));
  return [
    rowOf('upstream', direct, ['', '']),
    ...through.map(({ server: each, found }) => rowOf(each.name, found, [added(found, 'p50'), added(found, 'p99')])),
  ];
}

async function latenciesOf(
  server: ServerProcess,
  scenario: Scenario,
  callsPerSecond: number,
  { inFlight, connections, warmUpMs, countMs }: Options['plan'],
): Promise<Latencies> {
  const ofDoor = server.door === 'grpc' ? connections : inFlight;
  const sorted = await loadOpenly({ server, scenario, callsPerSecond, connections: ofDoor, warmUpMs, countMs });
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  const heldUp = sorted.filter((latencyMs) => latencyMs > HELD_UP_MS).length;
  return { p50: at(0.5), p99: at(0.99), heldUp: (heldUp / sorted.length) * 100 };
}
