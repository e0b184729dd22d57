import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { keepNewObjectsYoung } from '../src/cli/new-objects.ts';
import { compareServers } from './modes/compare.ts';
import { tableOfMemory, tableOfStarts } from './modes/footprint.ts';
import { measureGrowth } from './modes/growth.ts';
import { measureAddedLatency } from './modes/open-loop.ts';
import { comparePeers } from './modes/peers.ts';
import { profileServers } from './modes/profiles.ts';
import { HELP, readOptions } from './options.ts';
import type { Options } from './options.ts';
import { Servers } from './servers/servers.ts';

/** Measures what was asked for. */
async function measure(servers: Servers, directory: string, options: Options): Promise<void> {
  const { farMs, peers, growths, against, rounds, plan, idleMs } = options;
  if (farMs !== undefined) {
    // It imports a client by the name of its package.
    await import('../scripts/from-source.ts');
    const { compareFar } = await import('./modes/far.ts');
    say(await compareFar(servers, farMs, rounds));
  } else if (peers !== undefined) await comparePeers(servers, peers, directory, options, say);
  else if (options.isOpenLoop) await measureAddedLatency(servers, options, say);
  else if (growths.length > 0) await measureGrowth(servers, growths, options, say);
  else if (options.isStart) say(await tableOfStarts(await servers.startUpstream(), { against, rounds, directory }));
  else if (options.isMemory)
    say(await tableOfMemory(await servers.startUpstream(), plan, idleMs, { against, rounds, directory }));
  else await (options.isProfile ? profileServers : compareServers)(servers, options, say);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function run(): Promise<void> {
  const options = readOptions();
  if (options === undefined) {
    say(HELP);
    return;
  }
  const directory = mkdtempSync(join(tmpdir(), 'understudy-bench-'));
  const servers = new Servers(directory);
  const cleanUp = async (): Promise<void> => {
    await servers.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  const interrupted = (): void => {
    void cleanUp().finally(() => process.exit(130));
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  try {
    await measure(servers, directory, options);
  } finally {
    await cleanUp();
  }
}

// The generator's own pauses would stand in the latencies that it measures.
keepNewObjectsYoung();
try {
  await run();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
