import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { runProgram } from '../../scripts/tool-cache.ts';
import { startUnderstudy } from '../support/understudy-process.ts';
import { startCrowd } from './crowd.ts';

const CLIENT = fileURLToPath(new URL('orca', import.meta.url));
const RATE = 200;
const SECONDS = 42;
/** From when the crowd is there until when, and how long it takes until what it does counts: load is that of ten seconds. */
const BUSY = { from: 15, to: 40, settles: 13 };
const CROWD = { callers: 48, promptBytes: 2_000 };
/** What a policy that knows of the load may leave at the gateway that is busy. */
const MOST_BUSY_SHARE = 0.42;

const EACH_CALL = { blackoutPeriod: '3s' };
const OUT_OF_BAND = { ...EACH_CALL, enableOobLoadReport: true, oobReportingPeriod: '1s' };
const POLICIES = [
  { name: 'round_robin', policy: { round_robin: {} }, isAware: false },
  { name: 'weighted_round_robin, with each call', policy: { weighted_round_robin: EACH_CALL }, isAware: true },
  { name: 'weighted_round_robin, out of band', policy: { weighted_round_robin: OUT_OF_BAND }, isAware: true },
];

/** What the client has seen in one second, as it prints it. */
interface Second {
  readonly calls: Readonly<Record<string, number>>;
  readonly failed: number;
}

/**
 * Puts a Go client, with 200 calls a second, before two gateways of which one is made busy by callers that know no other, by each
 * policy in turn. Ends with 0 where both were called alike before, and, where the policy knows of the load, the busy one clearly less and
 * no call failed.
 */
async function main(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-orca-'));
  try {
    const client = join(folder, 'orca');
    const built = await runProgram('go', ['build', '-o', client, '.'], { cwd: CLIENT });
    if (built.code !== 0) throw new Error(`go builds no client: ${built.printed}`);
    const config = join(folder, 'understudy.json');
    await writeFile(config, JSON.stringify({ targets: [{ name: 'mock', provider: 'mock' }] }));
    console.log('policy                                 before  busy  failed');
    let isGood = true;
    for (const { name, policy, isAware } of POLICIES) {
      const seconds = await callBoth(client, config, policy);
      const before = shareOfFirst(seconds.slice(BUSY.from - 8, BUSY.from));
      const busy = shareOfFirst(seconds.slice(BUSY.from + BUSY.settles, BUSY.to));
      const failed = seconds.reduce((all, second) => all + second.failed, 0);
      console.log(`${name.padEnd(38)} ${percent(before)}${percent(busy)}  ${String(failed).padStart(6)}`);
      isGood &&= before > 0.4 && before < 0.6;
      // What round_robin goes on sending to the busy one may be refused.
      if (isAware) isGood &&= failed === 0 && busy < MOST_BUSY_SHARE;
    }
    console.log(isGood ? 'Verdict: calls go where there is room.' : 'Verdict: FAILED');
    return isGood ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Returns what the client has seen second by second, as shares of the first gateway, at new gateways. */
async function callBoth(
  client: string,
  config: string,
  policy: object,
): Promise<readonly (Second & { readonly first: string })[]> {
  const gateways = [startUnderstudy(['--config', config]), startUnderstudy(['--config', config])];
  try {
    const addresses = (await Promise.all(gateways.map(({ doors }) => doors))).map(({ grpc }) => grpc);
    const [first = ''] = addresses;
    const flags = ['-addresses', addresses.join(), '-policy', JSON.stringify(policy), '-rate', `${RATE}`];
    const child = spawn(client, [...flags, '-seconds', `${SECONDS}`], { stdio: ['ignore', 'pipe', 'inherit'] });
    const seconds: (Second & { readonly first: string })[] = [];
    let crowd: ReturnType<typeof startCrowd> | undefined;
    for await (const line of createInterface(child.stdout)) {
      seconds.push({ ...parseSecond(line), first });
      if (seconds.length === BUSY.from) crowd = startCrowd(first, CROWD.callers, CROWD.promptBytes);
      if (seconds.length === BUSY.to) await crowd?.leave();
    }
    return seconds;
  } finally {
    await Promise.all(gateways.map((gateway) => gateway.close()));
  }
}

/** What the client prints is its own form. */
function parseSecond(line: string): Second {
  return JSON.parse(line) as Second;
}

function shareOfFirst(seconds: readonly (Second & { readonly first: string })[]): number {
  let [first, all] = [0, 0];
  for (const second of seconds) {
    first += second.calls[second.first] ?? 0;
    for (const calls of Object.values(second.calls)) all += calls;
  }
  return first / all;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`.padStart(6);
}

process.exitCode = await main();
