import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { tableOfMemory, tableOfStarts } from './footprint.ts';
import { load } from './load.ts';
import { measureRound } from './measure.ts';
import type { LoadPlan, Round } from './measure.ts';
import { readProfile } from './profile.ts';
import { SCENARIOS } from './scenarios.ts';
import { measureScrapes } from './scrapes.ts';
import type { Scenario } from './scenarios.ts';
import { Servers } from './servers.ts';
import type { ServerProcess } from './servers.ts';
import { summarise } from './summary.ts';
import { formatTable } from './table.ts';

const HELP = `npm run bench -- [options]

  --profile         profiles instead of the comparison: of the gateway, with --bare of grpc-js and undici too
  --bare            also load grpc-js and undici without the gateway
  --accounts PLACES also load the gateway with callers, limits, budgets and a ledger: memory, redis, or both with a comma between
                    them; redis starts a redis-server of its own
  --start           measures the start of what \`npm run build\` has made instead: first and later starts
  --memory          measures its memory instead: at rest, after a load of a minute (--seconds each kind of call), idle, for each open stream
  --idle N          seconds without calls before memory counts as idle (60)
  --against FOLDER  compares with another built checkout, in turns
  --traces SHARES   also load the gateway with so many of its calls traced and exported: 0.01, 1, or several with commas between them
  --targets N       also load the gateway with so many targets in its route, of which the first answers
  --far MS          compares the doors for clients so many milliseconds away, each way, that send large prompts; nothing else
  --only NAMES      of ${SCENARIOS.map(({ name }) => name).join(', ')}; with commas between them
  --rounds N        rounds of each server (10)
  --seconds N       length of a round (1.5)
  --warm-up N       seconds before the first round of a server in each scenario (20): compilers need thousands of calls
  --in-flight N     calls under way (64)
  --connections N   connections that they share (8)
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    bare: { type: 'boolean', default: false },
    accounts: { type: 'string' },
    start: { type: 'boolean', default: false },
    memory: { type: 'boolean', default: false },
    idle: { type: 'string', default: '60' },
    against: { type: 'string' },
    traces: { type: 'string' },
    targets: { type: 'string' },
    far: { type: 'string' },
    only: { type: 'string' },
    rounds: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '1.5' },
    'warm-up': { type: 'string', default: '20' },
    'in-flight': { type: 'string', default: '64' },
    connections: { type: 'string', default: '8' },
  },
});

/** Until connections stand and pools are filled. */
const WARM_UP_MS = 500;

function numberOf(text: string, option: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${option} must be a number above 0`);
  return value;
}

function chosenScenarios(): readonly Scenario[] {
  const names = values.only?.split(',');
  const chosen = SCENARIOS.filter(({ name }) => names?.includes(name) ?? true);
  if (chosen.length !== (names?.length ?? chosen.length)) throw new Error(`--only must be of the names in --help`);
  return chosen;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Loads each server until it is warm, without counting. */
async function warmUp(servers: readonly ServerProcess[], scenario: Scenario, plan: LoadPlan): Promise<void> {
  const countMs = numberOf(values['warm-up'], 'warm-up') * 1_000;
  for (const server of servers) {
    await load({ ...plan, server, scenario, countMs, onCounting: () => Promise.resolve() });
  }
}

/** Loads the servers in turns, so that whatever else the machine does meets all of them. */
async function compare(
  servers: readonly ServerProcess[],
  upstream: ServerProcess,
  scenario: Scenario,
  plan: LoadPlan,
  rounds: number,
): Promise<void> {
  await warmUp(servers, scenario, plan);
  const rows = servers.map((server) => ({ server, name: server.name, rounds: new Array<Round>() }));
  for (let round = 0; round < rounds; round++) {
    for (const row of rows) row.rounds.push(await measureRound(row.server, upstream, scenario, plan));
  }
  say(formatTable(scenario.title, rows));
}

async function profile(server: ServerProcess, scenario: Scenario, plan: LoadPlan): Promise<void> {
  await warmUp([server], scenario, plan);
  for (const kind of ['cpu', 'heap'] as const) {
    const path = join(tmpdir(), `understudy-${server.name}-${scenario.name}.${kind}profile`);
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

async function startAccounted(servers: Servers, upstream: ServerProcess): Promise<readonly ServerProcess[]> {
  const started: ServerProcess[] = [];
  for (const place of values.accounts?.split(',') ?? []) {
    if (place !== 'memory' && place !== 'redis') throw new Error('--accounts must be memory, redis or both');
    started.push(await servers.startAccounted(upstream, place === 'redis' ? await servers.startRedis() : undefined));
  }
  return started;
}

async function startTraced(servers: Servers, upstream: ServerProcess): Promise<readonly ServerProcess[]> {
  const started: ServerProcess[] = [];
  for (const share of values.traces?.split(',') ?? []) {
    if (!(Number(share) >= 0 && Number(share) <= 1)) throw new Error('--traces must be numbers from 0 to 1');
    started.push(await servers.startTraced(upstream, share));
  }
  return started;
}

async function far(servers: Servers, awayMs: number, rounds: number): Promise<void> {
  await import('../scripts/from-source.ts');
  const { compareFar } = await import('./far.ts');
  const { port, webPort = 0 } = await servers.startGateway(await servers.startUpstream());
  const grpcPort = await servers.startRelay(port, awayMs);
  say(await compareFar({ grpcPort, webPort: await servers.startRelay(webPort, awayMs) }, rounds));
}

async function main(servers: Servers, directory: string): Promise<void> {
  if (values.far !== undefined) return far(servers, numberOf(values.far, 'far'), numberOf(values.rounds, 'rounds'));
  const scenarios = chosenScenarios();
  const rounds = numberOf(values.rounds, 'rounds');
  const plan: LoadPlan = {
    inFlight: numberOf(values['in-flight'], 'in-flight'),
    connections: numberOf(values.connections, 'connections'),
    warmUpMs: WARM_UP_MS,
    countMs: numberOf(values.seconds, 'seconds') * 1_000,
  };
  const upstream = await servers.startUpstream();
  const footprint = { against: values.against, rounds, directory };
  if (values.start) return say(await tableOfStarts(upstream, footprint));
  if (values.memory) return say(await tableOfMemory(upstream, plan, numberOf(values.idle, 'idle') * 1_000, footprint));
  const bare = values.bare ? [await servers.startBare(upstream)] : [];
  const targets = values.targets === undefined ? undefined : numberOf(values.targets, 'targets');
  const long = targets === undefined ? [] : [await servers.startLong(upstream, targets)];
  const others = [...(await startAccounted(servers, upstream)), ...(await startTraced(servers, upstream)), ...long];
  const chosen = [...bare, await servers.startGateway(upstream), ...others];
  if (values.profile) {
    for (const scenario of scenarios) for (const server of chosen) await profile(server, scenario, plan);
    return;
  }
  const floor = await servers.startFloor(upstream);
  say(
    `${plan.inFlight} calls in flight over ${plan.connections} connections; medians of ${rounds} rounds of ${values.seconds} s; ` +
      `Node ${process.versions.node}; ${availableParallelism()} cores, load before the start ${(loadavg()[0] ?? 0).toFixed(1)}\n`,
  );
  for (const scenario of scenarios) await compare([floor, ...chosen], upstream, scenario, plan, rounds);
  for (const server of long) say(await measureScrapes(server, rounds));
}

if (values.help) {
  process.stdout.write(HELP);
} else {
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
    await main(servers, directory);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  } finally {
    await cleanUp();
  }
}
