import { load } from '../calls/load.ts';
import type { ScenarioName } from '../calls/asked.ts';
import type { Options } from '../options.ts';
import { formatTable } from '../report/table.ts';
import { startForeign } from '../servers/foreign.ts';
import { PEERS } from '../servers/peers.ts';
import type { ServerProcess } from '../servers/server-process.ts';
import type { Servers } from '../servers/servers.ts';
import { measureCalls, startChosen } from './compare.ts';

/** What all of them can do: the others need not tell reasoning. */
const COMPARED: ReadonlySet<ScenarioName> = new Set(['chat', 'joined', 'drip']);

/**
 * Loads the gateway and gateways of others in turns, and says a table for each kind of call; and which could not be loaded, and why.
 *
 * @param folder where the others are, or are installed
 * @param directory for what they write
 */
export async function comparePeers(
  servers: Servers,
  folder: string,
  directory: string,
  options: Options,
  say: (text: string) => void,
): Promise<void> {
  const upstream = await servers.startUpstream();
  const own = await startChosen(servers, upstream, options);
  const peers: ServerProcess[] = [];
  const stops: (() => void)[] = [];
  try {
    for (const peer of PEERS) {
      try {
        const started = await startForeign(await peer.prepare(folder, upstream, directory), directory);
        stops.push(started.stop);
        peers.push(started);
      } catch (error) {
        say(`${peer.name} was not loaded: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    for (const scenario of options.scenarios.filter(({ name }) => COMPARED.has(name))) {
      const able: ServerProcess[] = [];
      for (const peer of peers) {
        try {
          const { calls } = await load({
            ...options.plan,
            server: peer,
            scenario,
            onCounting: () => Promise.resolve(),
          });
          if (calls === 0) throw new Error('it ends no call within a round; --seconds makes rounds longer');
          able.push(peer);
        } catch (error) {
          say(
            `${peer.name}, ${scenario.title}: not compared: ${error instanceof Error ? error.message : String(error)}`,
          );
        }
      }
      say(formatTable(scenario.title, [await measureCalls([...own, ...able], upstream, scenario, options)]));
    }
  } finally {
    for (const stop of stops) stop();
  }
}
