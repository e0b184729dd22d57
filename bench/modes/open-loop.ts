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

const HEADS = ['call', 'server', 'calls/s', 'p50 ms', 'p99 ms', 'p50 added ms', 'p99 added ms'];

/** Latencies of one round, in milliseconds. */
interface Latencies {
  readonly p50: number;
  readonly p99: number;
}

/**
 * Asks each server, at half of the calls per second that it can do, by the clock and not by the answers, in turns with the upstream
 * itself at the same rate; and says medians and ranges, and what the server adds.
 */
export async function measureAddedLatency(
  servers: Servers,
  options: Options,
  say: (text: string) => void,
): Promise<void> {
  const upstream = await servers.startUpstream();
  const chosen = await startChosen(servers, upstream, options);
  const rows: string[][] = [];
  for (const scenario of options.scenarios.filter(({ name }) => name === 'chat' || name === 'joined'))
    for (const server of chosen) rows.push(...(await rowsOf(server, upstream, scenario, options)));
  say(markdownTable(HEADS, rows));
}

async function rowsOf(
  server: ServerProcess,
  upstream: ServerProcess,
  scenario: Scenario,
  { plan, rounds, warmUpMs }: Options,
): Promise<string[][]> {
  await warmUp(server, scenario, plan, warmUpMs);
  const saturated: number[] = [];
  for (let round = 0; round < SATURATING_ROUNDS; round++)
    saturated.push((await measureRound(server, upstream, scenario, plan)).callsPerSecond);
  const callsPerSecond = median(saturated) * SHARE;
  const found = { direct: new Array<Latencies>(), through: new Array<Latencies>() };
  for (let round = 0; round <= rounds; round++) {
    const direct = await latenciesOf(upstream, scenario, callsPerSecond, plan);
    const through = await latenciesOf(server, scenario, callsPerSecond, plan);
    // The first round compiles the generator's own code.
    if (round === 0) continue;
    found.direct.push(direct);
    found.through.push(through);
  }
  const shown = (all: readonly Latencies[], key: keyof Latencies): string =>
    medianAndRange(all.map((each) => each[key]));
  const added = (key: keyof Latencies): string =>
    medianAndRange(found.through.map((each, round) => each[key] - (found.direct[round]?.[key] ?? Number.NaN)));
  const rate = callsPerSecond.toFixed(0);
  return [
    [scenario.name, 'upstream', rate, shown(found.direct, 'p50'), shown(found.direct, 'p99'), '', ''],
    [
      scenario.name,
      server.name,
      rate,
      shown(found.through, 'p50'),
      shown(found.through, 'p99'),
      added('p50'),
      added('p99'),
    ],
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
  return { p50: at(0.5), p99: at(0.99) };
}
