import { GROWTHS } from '../calls/growths.ts';
import type { Axis, Growth } from '../calls/growths.ts';
import { measureRound } from '../calls/measure.ts';
import type { LoadPlan } from '../calls/measure.ts';
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
  options: Options,
): Promise<string> {
  const rows: string[][] = [];
  const first = new Map<ServerProcess, number>();
  const steps = axis.steps();
  for (const { size, scenario, inFlight } of steps) {
    const plan: LoadPlan = { ...options.plan, inFlight };
    const micros = new Map(servers.map((server) => [server, new Array<number>()]));
    for (let round = 0; round < options.rounds; round++)
      for (const [server, of] of micros)
        of.push((await measureRound(server, upstream, scenario, plan)).cpuMicrosPerCall);
    for (const [server, of] of micros) {
      const call = median(of);
      const least = first.get(server) ?? call;
      first.set(server, least);
      const further = size - (steps[0]?.size ?? 0);
      const figure = axis.isWithinCall ? (call - least) / further : call / least;
      rows.push([
        String(size),
        server.name,
        String(inFlight),
        call.toFixed(0),
        Math.min(...of).toFixed(0),
        further === 0 ? '' : figure.toFixed(2),
      ]);
    }
  }
  const last = axis.isWithinCall ? `µs for each of the ${axis.unit} over the fewest` : 'of the fewest';
  return `${axis.title}\n${markdownTable([axis.unit, 'server', 'in flight', 'CPU µs/call', 'least', last], rows)}\n`;
}
