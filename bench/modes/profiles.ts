import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { load } from '../calls/load.ts';
import type { Scenario } from '../calls/scenarios.ts';
import type { Options } from '../options.ts';
import { readProfile } from '../report/profile.ts';
import { summarise } from '../report/summary.ts';
import type { ServerProcess } from '../servers/server-process.ts';
import type { Servers } from '../servers/servers.ts';
import { startChosen, warmUp } from './compare.ts';

/** Records each server under each kind of call, and says where its time and its memory go. */
export async function profileServers(servers: Servers, options: Options, say: (text: string) => void): Promise<void> {
  const chosen = await startChosen(servers, await servers.startUpstream(), options);
  for (const scenario of options.scenarios) for (const server of chosen) await profile(server, scenario, options, say);
}

async function profile(
  server: ServerProcess,
  scenario: Scenario,
  { plan, warmUpMs }: Options,
  say: (text: string) => void,
): Promise<void> {
  await warmUp(server, scenario, plan, warmUpMs);
  for (const kind of ['cpu', 'heap'] as const) {
    const name = server.name.replaceAll(' ', '-');
    const path = join(tmpdir(), `understudy-${name}-${scenario.name}.${kind}profile`);
    const { calls } = await load({
      ...plan,
      server,
      scenario,
      onCounting: async (isBeginning) => {
        await server.ask(isBeginning ? { ask: 'record', kind } : { ask: 'save', kind, path });
      },
    });
    say(`${server.name}, ${scenario.title}: ${calls} calls, ${path}`);
    say(summarise(readProfile(path, kind), kind, calls));
  }
}
