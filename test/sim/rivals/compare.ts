import type { Account } from './account.ts';
import { reckon } from './account.ts';
import { COCKATIEL } from './cockatiel.ts';
import { LITELLM_LIKE } from './litellm-like.ts';
import { live } from './live.ts';
import { PORTKEY_LIKE } from './portkey-like.ts';
import type { Rival } from './rival.ts';
import type { Scenario } from './scenario.ts';
import { makeScenario } from './scenarios.ts';
import { SEED_SCHEDULE } from './seed-schedule.ts';
import { UNDERSTUDY, UNDERSTUDY_EXHAUST_FIRST, UNDERSTUDY_RESTART } from './understudy.ts';

/** All policies, in the order of the tables. */
export const RIVALS: readonly Rival[] = [
  UNDERSTUDY,
  UNDERSTUDY_RESTART,
  UNDERSTUDY_EXHAUST_FIRST,
  SEED_SCHEDULE,
  COCKATIEL,
  LITELLM_LIKE,
  PORTKEY_LIKE,
];

const HEADS = [
  'policy',
  'success',
  'first output p50',
  'p99',
  'calls/request',
  'wasted tokens/request',
  'into the dead',
  'still failing for',
  'first target back after',
  'corrupted',
];

/** Lives a scenario through with every policy and writes the table, in Markdown. */
export async function compare(name: string, seed: number, rivals: readonly Rival[] = RIVALS): Promise<string> {
  const scenario = makeScenario(name, seed);
  const rows: string[][] = [];
  let most = 0;
  for (const rival of rivals) {
    if (rival === UNDERSTUDY_EXHAUST_FIRST && !scenario.exhaustFirst) continue;
    const history = await live(scenario, rival);
    most = Math.max(most, history.mostAtATime);
    rows.push([rival.name, ...cells(reckon(scenario, history), scenario)]);
  }
  const { requests } = scenario.tape;
  return [
    `### ${name}`,
    '',
    `${scenario.models} ${requests.length} requests, up to ${most} at a time.`,
    '',
    ...lines([HEADS, ...rows]),
    '',
  ].join('\n');
}

function cells(account: Account, { tape }: Scenario): string[] {
  const hasDead = tape.faults.some(({ shape }) => shape.type !== 'chance');
  const hasEnd = tape.faults.length > 0;
  return [
    `${(account.success * 100).toFixed(1)} %`,
    seconds(account.firstOutputP50Ms),
    seconds(account.firstOutputP99Ms),
    account.callsPerRequest.toFixed(2),
    account.wastedTokens.toFixed(0),
    hasDead ? `${account.deadSeconds} s` : '',
    hasEnd ? seconds(account.failsForMs) : '',
    hasEnd ? seconds(account.awayForMs) : '',
    String(account.corrupted),
  ];
}

function seconds(ms: number | undefined): string {
  return ms === undefined ? 'none' : `${(ms / 1_000).toFixed(1)} s`;
}

function lines(rows: readonly (readonly string[])[]): string[] {
  const widths = HEADS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`;
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  const [heads, ...others] = rows.map((row) => line(row));
  return [heads ?? '', `| ${rule.join(' | ')} |`, ...others];
}
