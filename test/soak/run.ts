import { parseArgs } from 'node:util';
import { setTimeout as passed } from 'node:timers/promises';

import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { openRpcClient } from '../support/rpc-client.ts';
import { createCallers } from './callers.ts';
import type { Holdings } from './probe.ts';
import { startProbedGateway } from './process.ts';
import { startSoakUpstream } from './upstream.ts';
import type { Sample } from './verdict.ts';
import { judge, row, TITLE } from './verdict.ts';

const HELP = `Usage: npm run soak -- [--seconds 600] [--streams 200] [--faults 0.2] [--cancels 0.1] [--seed 1]

Runs the gateway as a process of its own under concurrent calls of which some fail and some are left, with pauses in which
nothing may be left over. Ends with 0 where nothing grew and no character was lost or doubled.
`;

/** How long the load runs between two pauses, and how often within it is looked. */
const ROUND_MS = 30_000;
/** How long idle connections and timers may take to go in a pause. */
const QUIET_MS = 12_000;
const CONNECTIONS = 10;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '600' },
      streams: { type: 'string', default: '200' },
      faults: { type: 'string', default: '0.2' },
      cancels: { type: 'string', default: '0.1' },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const [seconds, count, faults, cancels, seed] = [
    values.seconds,
    values.streams,
    values.faults,
    values.cancels,
    values.seed,
  ].map(Number);
  if (
    seconds === undefined ||
    count === undefined ||
    faults === undefined ||
    cancels === undefined ||
    seed === undefined
  )
    return 1;
  const options = { faults, gapMs: 60 };
  const upstreams = {
    lead: await startSoakUpstream('lead', { ...options, seed }),
    second: await startSoakUpstream('second', { ...options, seed: seed + 1 }),
    third: await startSoakUpstream('third', { ...options, faults: 0, seed: seed + 2 }),
  };
  const gateway = await startProbedGateway({
    targets: Object.entries(upstreams).map(([name, { origin }]) => ({
      name,
      provider: 'openai',
      base_url: `${origin}/v1`,
      api_key: 'sk-soak',
      model: `model-${name}`,
      timeouts: { first_output: '2s', progress: '2s' },
    })),
    // The faults are to go on, so the circuits must not open for good: a thousand failures within a second.
    circuit_breaker: { failures: 1_000, window: '1s', cooldown: '1s' },
    retry: { backoff: ['50ms', '100ms'] },
  });
  const clients = Array.from({ length: CONNECTIONS }, () => openRpcClient(gateway.address));
  const [observer] = clients;
  if (observer === undefined) return 1;
  const callers = createCallers(clients, { count, cancels, seed: seed + 3 });
  const inFlight = async (): Promise<number> => {
    const { providers } = await observer.call(LlmService.method.health, {});
    return providers.reduce((sum, provider) => sum + provider.inFlight, 0);
  };
  const samples: Sample[] = [];
  const beganAt = performance.now();
  const sample = async (isQuiet: boolean, holdings?: Holdings): Promise<void> => {
    const openCalls = Object.values(upstreams).reduce((sum, upstream) => sum + upstream.openCalls(), 0);
    const { wrong, unexpected, ...numbers } = callers.seen;
    samples.push({
      atS: (performance.now() - beganAt) / 1_000,
      isQuiet,
      holdings: holdings ?? (await gateway.holdings()),
      inFlight: await inFlight(),
      openCalls,
      seen: {
        ...numbers,
        wrong: wrong.length,
        unexpected: [...unexpected.values()].reduce((sum, each) => sum + each, 0),
      },
    });
    console.log(row(samples.at(-1)));
  };
  console.log(TITLE);
  while (performance.now() - beganAt < seconds * 1_000) {
    callers.resume();
    await passed(Math.min(ROUND_MS, seconds * 1_000) / 2);
    await sample(false);
    await passed(Math.min(ROUND_MS, seconds * 1_000) / 2);
    await callers.pause();
    await sample(true, await quiet(() => gateway.holdings()));
  }
  for (const client of clients) client.close();
  const code = await gateway.stop();
  await Promise.all(Object.values(upstreams).map((upstream) => upstream.close()));
  for (const [name, { tally }] of Object.entries(upstreams)) {
    console.log(`${name}: ${[...tally].map(([plan, times]) => `${plan} ${times}`).join(', ')}`);
  }
  for (const wrong of callers.seen.wrong.slice(0, 10)) console.log(`wrong text: ${wrong}`);
  for (const [word, times] of callers.seen.unexpected) console.log(`unexpected end: ${word}, ${times} times`);
  const faultsFound = judge(samples);
  if (code !== 0) faultsFound.push(`the process ended with ${code}`);
  console.log(
    faultsFound.length === 0
      ? 'Verdict: nothing grew, nothing was lost.'
      : `Verdict: FAILED\n- ${faultsFound.join('\n- ')}`,
  );
  return faultsFound.length === 0 ? 0 : 1;
}

/** Waits until the process holds no more than it must, or for as long as that may take; returns what it holds then. */
async function quiet(look: () => Promise<Holdings>): Promise<Holdings> {
  const untilMs = performance.now() + QUIET_MS;
  let [before, now] = [await look(), await look()];
  while (performance.now() < untilMs) {
    await passed(1_500);
    [before, now] = [now, await look()];
    const isStill = JSON.stringify(before.resources) === JSON.stringify(now.resources);
    if (isStill && performance.now() > untilMs - QUIET_MS / 2) break;
  }
  return now;
}

process.exitCode = await main();
