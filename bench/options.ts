import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { DOORS } from './calls/doors.ts';
import type { Door } from './calls/doors.ts';
import type { LoadPlan } from './calls/measure.ts';
import { SCENARIOS } from './calls/scenarios.ts';
import type { Scenario } from './calls/scenarios.ts';
import { GROWTHS } from './calls/growths.ts';
import type { Growth } from './calls/growths.ts';

/** What `--help` prints. */
export const HELP = `npm run bench -- [options]

What is measured:
  (nothing)         loads servers in turns and compares them with the floor
  --profile         profiles instead: of the gateway, with --bare of grpc-js and undici too
  --far MS          compares the doors for clients so many milliseconds away, each way, that send large prompts; nothing else
  --peers FOLDER    compares the gateway with those of others, which are in the folder or are installed there: Portkey, LiteLLM, and
                    GoModel where a program of that name is there; chat, joined and drip
  --open-loop       the latency that each door of the gateway adds to a call of the upstream, at half of the calls that it can do; with
                    --plain what a server without an engine adds, too; chat and joined
  --growth NAMES    CPU time by what grows: ${Object.keys(GROWTHS).join(', ')}; with commas between them
  --start           the start of what \`npm run build\` has made: first and later starts
  --memory          its memory: at rest, after a load (--seconds of each of five kinds of call), idle, for each open stream

Which servers, beside the floor and the gateway:
  --plain           what one would write without an engine
  --bare            grpc-js and undici without the gateway
  --door NAMES      doors of the gateway: ${DOORS.join(', ')}; with commas between them (grpc)
  --accounts PLACES the gateway with callers, limits, budgets and a ledger: memory, redis, or both with a comma between
                    them; redis starts a redis-server of its own
  --traces SHARES   the gateway with so many of its calls traced and exported: 0.01, 1, or several with commas between them
  --targets N       the gateway with so many targets in its route, of which the first answers
  --against FOLDER  and the gateway of another checkout, in turns; of --start and --memory it has to be built

How:
  --only NAMES      of ${SCENARIOS.map(({ name }) => name).join(', ')}; with commas between them
  --rounds N        rounds of each server (10)
  --processes N     starts of each server, with so many rounds each, where servers are compared (1):
                    V8 compiles the same program differently from one process to the next
  --seconds N       length of a round (1.5)
  --warm-up N       seconds before the first round of a server in each scenario (20): compilers need thousands of calls
  --in-flight N     calls under way (64); over HTTP/1.1 each has a connection of its own
  --connections N   connections that they share over gRPC (8)
  --idle N          seconds without calls before memory counts as idle (60)
`;

/** What was asked for on the command line. */
export interface Options {
  readonly isProfile: boolean;
  readonly isStart: boolean;
  readonly isMemory: boolean;
  readonly farMs: number | undefined;
  readonly isOpenLoop: boolean;
  readonly growths: readonly Growth[];
  /** The folder with gateways of others. */
  readonly peers: string | undefined;
  readonly isPlain: boolean;
  readonly isBare: boolean;
  readonly doors: readonly Door[];
  readonly accounts: readonly ('memory' | 'redis')[];
  readonly traces: readonly string[];
  readonly targets: number | undefined;
  readonly against: string | undefined;
  readonly scenarios: readonly Scenario[];
  readonly rounds: number;
  readonly processes: number;
  readonly warmUpMs: number;
  readonly idleMs: number;
  readonly plan: LoadPlan;
}

const GROWTH_NAMES = { calls: 'calls', prompts: 'prompts', answers: 'answers', deltas: 'deltas' } as const satisfies {
  [Name in Growth]: Name;
};

/** Until connections stand and pools are filled. */
const FILL_MS = 500;

/** Reads the command line; undefined where help is wanted. Throws where it says what cannot be. */
export function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      start: { type: 'boolean', default: false },
      memory: { type: 'boolean', default: false },
      far: { type: 'string' },
      peers: { type: 'string' },
      'open-loop': { type: 'boolean', default: false },
      growth: { type: 'string', default: '' },
      plain: { type: 'boolean', default: false },
      bare: { type: 'boolean', default: false },
      door: { type: 'string', default: 'grpc' },
      accounts: { type: 'string', default: '' },
      traces: { type: 'string', default: '' },
      targets: { type: 'string' },
      against: { type: 'string' },
      only: { type: 'string', default: SCENARIOS.map(({ name }) => name).join() },
      rounds: { type: 'string', default: '10' },
      processes: { type: 'string', default: '1' },
      seconds: { type: 'string', default: '1.5' },
      'warm-up': { type: 'string', default: '20' },
      'in-flight': { type: 'string', default: '64' },
      connections: { type: 'string', default: '8' },
      idle: { type: 'string', default: '60' },
    },
  });
  if (values.help) return undefined;
  const number = (
    name: 'rounds' | 'processes' | 'seconds' | 'warm-up' | 'in-flight' | 'connections' | 'idle' | 'far' | 'targets',
  ) => numberOf(values[name] ?? '', name);
  const names = namesIn(
    values.only,
    'only',
    Object.fromEntries(SCENARIOS.map((scenario) => [scenario.name, scenario])),
  );
  return {
    isProfile: values.profile,
    isStart: values.start,
    isMemory: values.memory,
    farMs: values.far === undefined ? undefined : number('far'),
    isOpenLoop: values['open-loop'],
    growths: namesIn(values.growth, 'growth', GROWTH_NAMES),
    peers: values.peers === undefined ? undefined : resolve(values.peers),
    isPlain: values.plain,
    isBare: values.bare,
    doors: namesIn(values.door, 'door', Object.fromEntries(DOORS.map((door) => [door, door]))),
    accounts: namesIn(values.accounts, 'accounts', { memory: 'memory', redis: 'redis' }),
    traces: sharesIn(values.traces),
    targets: values.targets === undefined ? undefined : number('targets'),
    against: values.against,
    scenarios: SCENARIOS.filter((scenario) => names.includes(scenario)),
    rounds: number('rounds'),
    processes: number('processes'),
    warmUpMs: number('warm-up') * 1_000,
    idleMs: number('idle') * 1_000,
    plan: {
      inFlight: number('in-flight'),
      connections: number('connections'),
      warmUpMs: FILL_MS,
      countMs: number('seconds') * 1_000,
    },
  };
}

function numberOf(text: string, option: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${option} must be a number above 0`);
  return value;
}

/** Reads names with commas between them; none where there is no text. */
function namesIn<Value>(text: string, option: string, known: Readonly<Record<string, Value>>): readonly Value[] {
  return listIn(text).map((name) => {
    const value = known[name];
    if (value === undefined) throw new Error(`--${option} must be of: ${Object.keys(known).join(', ')}`);
    return value;
  });
}

function sharesIn(text: string): readonly string[] {
  const shares = listIn(text);
  if (shares.some((share) => !(Number(share) >= 0 && Number(share) <= 1)))
    throw new Error('--traces must be numbers from 0 to 1');
  return shares;
}

function listIn(text: string): readonly string[] {
  return text === '' ? [] : text.split(',');
}
