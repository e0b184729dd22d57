import { availableParallelism, loadavg } from 'node:os';

import { load } from '../calls/load.ts';
import { measureRound } from '../calls/measure.ts';
import type { LoadPlan, Round } from '../calls/measure.ts';
import type { Scenario } from '../calls/scenarios.ts';
import type { Options } from '../options.ts';
import { formatTable } from '../report/table.ts';
import type { Row } from '../report/table.ts';
import type { ServerProcess } from '../servers/server-process.ts';
import type { Servers } from '../servers/servers.ts';
import { measureScrapes } from './scrapes.ts';

/**
 * Loads the floor, the gateway and what else was asked for in turns, in one process each after the other where there are to be several, and
 * says a table for each kind of call.
 */
export async function compareServers(servers: Servers, options: Options, say: (text: string) => void): Promise<void> {
  const { plan, rounds, processes, scenarios } = options;
  say(
    `${plan.inFlight} calls in flight; medians of ${rounds} rounds of ${plan.countMs / 1_000} s` +
      `${processes > 1 ? ` in each of ${processes} processes` : ''}; ` +
      `Node ${process.versions.node}; ${availableParallelism()} cores, load before the start ${(loadavg()[0] ?? 0).toFixed(1)}\n`,
  );
  const found = scenarios.map((scenario) => ({ scenario, starts: new Array<readonly Row[]>() }));
  for (let start = 0; start < processes; start++) {
    const isLast = start + 1 >= processes;
    const upstream = await servers.startUpstream();
    const chosen = await startChosen(servers, upstream, options);
    const engineless = options.isPlain ? [await servers.startPlain(upstream)] : [];
    const all = [await servers.startFloor(upstream), ...engineless, ...chosen];
    for (const { scenario, starts } of found) {
      starts.push(await measureCalls(all, upstream, scenario, options));
      if (isLast) say(formatTable(scenario.title, starts));
    }
    if (isLast)
      for (const server of chosen) if (server.targets !== undefined) say(await measureScrapes(server, rounds));
    await servers.stop();
  }
}

/** Starts the gateway, once for each door that is loaded, and what is measured beside it. */
export async function startChosen(
  servers: Servers,
  upstream: ServerProcess,
  { isBare, doors, accounts, traces, targets, against }: Options,
): Promise<readonly ServerProcess[]> {
  const chosen = isBare ? [await servers.startBare(upstream)] : [];
  const gateway = await servers.startGateway(upstream);
  for (const door of doors) {
    if (door === 'grpc') chosen.push(gateway);
    else chosen.push({ ...gateway, name: `gateway ${door}`, port: gateway.webPort ?? 0, door });
  }
  for (const place of accounts)
    chosen.push(await servers.startAccounted(upstream, place === 'redis' ? await servers.startRedis() : undefined));
  for (const share of traces) chosen.push(await servers.startTraced(upstream, share));
  if (against !== undefined) chosen.push(await servers.startOther(upstream, against));
  if (targets !== undefined) chosen.push(await servers.startLong(upstream, targets));
  return chosen;
}

/** Loads servers with one kind of call in turns, so that whatever else the machine does meets all of them. */
export async function measureCalls(
  servers: readonly ServerProcess[],
  upstream: ServerProcess,
  scenario: Scenario,
  { plan, rounds, warmUpMs }: Options,
): Promise<readonly Row[]> {
  for (const server of servers) await warmUp(server, scenario, plan, warmUpMs);
  const rows = servers.map((server) => ({ server, name: server.name, rounds: new Array<Round>() }));
  for (let round = 0; round < rounds; round++) {
    for (const row of rows) row.rounds.push(await measureRound(row.server, upstream, scenario, plan));
  }
  return rows;
}

/** Loads a server until it is warm, without counting. */
export async function warmUp(
  server: ServerProcess,
  scenario: Scenario,
  plan: LoadPlan,
  countMs: number,
): Promise<void> {
  await load({ ...plan, server, scenario, countMs, onCounting: () => Promise.resolve() });
}
