import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { checkouts, freePorts, startCompiled } from '../servers/compiled.ts';
import type { LoadPlan } from '../calls/measure.ts';
import { measureFootprint } from './memory.ts';
import type { Footprint } from './memory.ts';
import { markdownTable, medianAndRange } from '../report/table.ts';
import type { ServerProcess } from '../servers/server-process.ts';

/** How long a gateway has to load what its first calls need, in milliseconds. */
const WARM_MS = 5_000;

/** What is asked of a measurement of `dist`. */
export interface FootprintPlan {
  /** The folder of another checkout to compare with, in turns. */
  readonly against: string | undefined;
  readonly rounds: number;
  /** For configurations and caches. */
  readonly directory: string;
}

/** Starts gateways in turns, each checkout with a cache of what it has compiled and without, and returns a table: medians and ranges. */
export async function tableOfStarts(
  upstream: ServerProcess,
  { against, rounds, directory }: FootprintPlan,
): Promise<string> {
  const rows: [string, string, () => string][] = [];
  for (const [name, folder] of checkouts(against)) {
    const kept = mkdtempSync(join(directory, 'kept-'));
    rows.push(
      [`${name}, first start`, folder, () => mkdtempSync(join(directory, 'new-'))],
      [`${name}, later starts`, folder, () => kept],
    );
  }
  const found = new Map(rows.map(([name]) => [name, { ready: new Array<number>(), cpu: new Array<number>() }]));
  for (let round = 0; round <= rounds; round++) {
    for (const [name, folder, home] of rows) {
      const gateway = await startCompiled(folder, upstream, await freePorts(), home());
      // What was compiled is kept a little later.
      if (round === 0) await sleep(WARM_MS);
      await gateway.stop();
      if (round === 0) continue;
      found.get(name)?.ready.push(gateway.readyMs);
      found.get(name)?.cpu.push(gateway.readyCpuMs);
    }
  }
  return table(
    ['from dist', 'ready, ms', 'CPU until then, ms'],
    [...found].map(([name, { ready, cpu }]) => [name, ready, cpu]),
  );
}

/** Measures memory of each checkout in turns, and returns a table. */
export async function tableOfMemory(
  upstream: ServerProcess,
  plan: LoadPlan,
  idleMs: number,
  { against, rounds, directory }: FootprintPlan,
): Promise<string> {
  const found = new Map(
    [...checkouts(against)].map(([name, folder]) => [name, { folder, all: new Array<Footprint>() }]),
  );
  for (let round = 0; round < rounds; round++)
    for (const { folder, all } of found.values())
      all.push(await measureFootprint(folder, upstream, plan, idleMs, directory));
  const heads = [
    'from dist',
    'at rest, MiB',
    'after load, MiB',
    `idle for ${idleMs / 1_000} s, MiB`,
    'idle stream, KiB',
  ];
  const of = (all: readonly Footprint[], key: keyof Footprint) => all.map((each) => each[key]);
  const rows = [...found].map(
    ([name, { all }]) => [name, of(all, 'rest'), of(all, 'loaded'), of(all, 'idle'), of(all, 'stream')] as const,
  );
  return table(heads, rows);
}

function table(heads: readonly string[], rows: readonly (readonly [string, ...(readonly number[])[]])[]): string {
  return markdownTable(
    heads,
    rows.map(([name, ...figures]) => [name, ...figures.map((values) => medianAndRange(values, 0))]),
  );
}
