import { setTimeout as sleep } from 'node:timers/promises';

import { freePorts, startCompiled } from '../servers/compiled.ts';
import { holdStreams, startHolding } from '../servers/held.ts';
import { load } from '../calls/load.ts';
import type { LoadPlan } from '../calls/measure.ts';
import { SCENARIOS } from '../calls/scenarios.ts';
import type { ServerProcess } from '../servers/server-process.ts';

/** What a gateway takes, in MiB of resident memory. */
export interface Footprint {
  readonly rest: number;
  /** When the load ends. */
  readonly loaded: number;
  readonly idle: number;
  /** One open stream on which nothing comes, in KiB. */
  readonly stream: number;
}

/** Until V8 has given back what a start, or many calls at once, have left. */
const REST_MS = 40_000;
const FEW_STREAMS = 100;
const MORE_STREAMS = 800;

/** Measures one gateway at rest, behind every kind of call under the load of `plan`, after `idleMs` without any, and one with open streams. */
export async function measureFootprint(
  checkout: string,
  upstream: ServerProcess,
  plan: LoadPlan,
  idleMs: number,
  directory: string,
): Promise<Footprint> {
  const gateway = await startCompiled(checkout, upstream, await freePorts(), directory);
  try {
    await sleep(REST_MS);
    const rest = gateway.residentMib();
    const server = { name: checkout, port: gateway.port, door: 'grpc' } as const;
    for (const scenario of SCENARIOS) await load({ ...plan, server, scenario, onCounting: () => Promise.resolve() });
    const loaded = gateway.residentMib();
    await sleep(idleMs);
    return { rest, loaded, idle: gateway.residentMib(), stream: await streamKib(checkout, directory) };
  } finally {
    await gateway.stop();
  }
}

/** What one more stream takes, where some are open already: the first ones find room that a start has left. */
async function streamKib(checkout: string, directory: string): Promise<number> {
  const scenario = SCENARIOS.find(({ name }) => name === 'joined');
  if (scenario === undefined) return Number.NaN;
  const provider = await startHolding();
  const gateway = await startCompiled(checkout, provider, await freePorts(), directory);
  try {
    const held = await holdStreams(gateway.port, scenario, FEW_STREAMS);
    await sleep(REST_MS);
    const few = gateway.residentMib();
    const further = await holdStreams(gateway.port, scenario, MORE_STREAMS);
    await sleep(REST_MS);
    const more = gateway.residentMib();
    for (const session of [...held, ...further]) session.destroy();
    return ((more - few) * 1_024) / MORE_STREAMS;
  } finally {
    await gateway.stop();
    provider.server.close();
  }
}
