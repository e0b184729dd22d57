import { GROWTHS } from '../calls/growths.ts';
import type { Axis, Growth } from '../calls/growths.ts';
import { measureRound } from '../calls/measure.ts';
import { SCENARIOS } from '../calls/scenarios.ts';
import type { Options } from '../options.ts';
import { markdownTable, median } from '../report/table.ts';
import type { ServerProcess } from '../servers/server-process.ts';
import type { Servers } from '../servers/servers.ts';
import { startChosen, warmUp } from './compare.ts';

/** Measures the CPU time of calls of every size, servers in turns, and says a table for each of what was asked to grow. */
export async function measureGrowth(
  servers: Servers,
  growths: readonly Growth[],
  options: Options,
  say: (text: string) => void,
): Promise<void> {
  const upstream = await servers.startUpstream();
  const chosen = await startChosen(servers, upstream, options);
  const engineless = options.isPlain ? [await servers.startPlain(upstream)] : [];
  const all = [await servers.startFloor(upstream), ...engineless, ...chosen];
  for (const server of all)
    for (const scenario of SCENARIOS.slice(0, 3)) await warmUp(server, scenario, options.plan, options.warmUpMs);
  for (const growth of growths) say(await tableOf(GROWTHS[growth], all, upstream, options));
}

async function tableOf(
  axis: Axis,
  servers: readonly ServerProcess[],
  upstream: ServerProcess,
  { plan, rounds }: Options,
): Promise<string> {
  const rows: string[][] = [];
  const notes: string[] = [];
  const first = new Map<ServerProcess, { readonly size: number; readonly micros: number }>();
  for (const { size, scenario, inFlight } of axis.steps()) {
    const found = new Map(servers.map((server) => [server, new Array<number>()]));
    for (let round = 0; round < rounds; round++) {
      for (const [server, micros] of found) {
        try {
          micros.push((await measureRound(server, upstream, scenario, { ...plan, inFlight })).cpuMicrosPerCall);
        } catch (error) {
          // What a server refuses is not compared.
          found.delete(server);
          notes.push(`${size} ${axis.unit}: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
    }
    for (const [server, all] of found) {
      const micros = median(all);
      const fewest = first.get(server) ?? { size, micros };
      first.set(server, fewest);
      const grown = axis.isWithinCall ? (micros - fewest.micros) / (size - fewest.size) : micros / fewest.micros;
      const cells = [micros.toFixed(0), Math.min(...all).toFixed(0), fewest.size === size ? '' : grown.toFixed(2)];
      rows.push([String(size), server.name, String(inFlight), ...cells]);
    }
  }
  const last = axis.isWithinCall ? `µs for each of the ${axis.unit} over the fewest` : 'of the fewest';
  const table = markdownTable([axis.unit, 'server', 'in flight', 'CPU µs/call', 'least', last], rows);
  return [axis.title, table, ...notes, ''].join('\n');
}
