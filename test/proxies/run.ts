import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as passed } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { hasOpenssl } from '../support/certificates.ts';
import { CALL_CASES, endOf } from './call-cases.ts';
import type { ProxyCaseName } from './cases.ts';
import { PROXY_CASES } from './cases.ts';
import { PROXY_PROGRAMS, versionOf } from './proxy-programs.ts';
import type { ProxyFolders } from './proxy-programs.ts';
import type { ProxyStage } from './proxy-stage.ts';
import { startProxyStage } from './proxy-stage.ts';
import { killedGateway, rollingGateways } from './restart-cases.ts';
import { impatientProxy, realSilence, silentCalls } from './silence-cases.ts';

const HELP = `Usage: npm run test:proxies -- [--only nginx,envoy] [--cases rolling,killed] [--soak] [--environments FOLDER] [--keep]

Starts real proxies with the configurations of deploy/proxies in front of two gateways, and prints what came of it:
docs/proxies.md. --soak waits for truly 70 s of silence; without it the clocks go 20 times as fast. The Python environment with
Envoy is made in FOLDER (default: a temporary one, which goes with the rest); --keep leaves logs.
Ends with 0 where every case came out right behind every proxy that is here.

Proxies: ${Object.keys(PROXY_PROGRAMS).join(', ')}
Cases: ${PROXY_CASES.map(({ name }) => name).join(', ')}
`;

type Cells = ReadonlyMap<ProxyCaseName, string>;
type Column = { readonly title: string; readonly cells: Cells };

const WRONG = '✗';
/** How long a case may take, in milliseconds. */
const CASE_MS = 120_000;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: Object.keys(PROXY_PROGRAMS).join(',') },
      cases: { type: 'string', default: PROXY_CASES.map(({ name }) => name).join(',') },
      soak: { type: 'boolean', default: false },
      environments: { type: 'string' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  if (!hasOpenssl()) {
    console.log('Left out: openssl, which makes the certificates, is not installed.');
    return 0;
  }
  const work = await mkdtemp(join(tmpdir(), 'understudy-proxies-'));
  const folders = { work, environments: values.environments ?? join(work, 'environments') };
  const columns: Column[] = [];
  try {
    for (const name of values.only.split(',')) {
      const column = await tryProxy(name, folders, new Set(values.cases.split(',')), values.soak);
      if (column !== undefined) columns.push(column);
    }
  } finally {
    if (values.keep) console.log(`Kept: ${work}`);
    else await rm(work, { recursive: true, force: true });
  }
  const wrong = columns.flatMap(({ cells }) => [...cells.values()]).filter((cell) => cell.startsWith(WRONG));
  console.log(`\n${table(columns)}\n\n${columns.length} proxies, ${wrong.length} cases that did not come out right`);
  return wrong.length === 0 ? 0 : 1;
}

async function tryProxy(
  name: string,
  { work, environments }: ProxyFolders,
  cases: ReadonlySet<string>,
  soak: boolean,
): Promise<Column | undefined> {
  const proxy = PROXY_PROGRAMS[name];
  if (proxy === undefined) throw new Error(`there is no proxy ${name}`);
  let program;
  try {
    program = await proxy.find(environments);
  } catch (error) {
    console.log(`== ${proxy.title}\n   left out: ${endOf(error)}`);
    return undefined;
  }
  const title = `${proxy.title} ${await versionOf(program, proxy.version)}`;
  console.log(`== ${title}`);
  const stage = await startProxyStage(proxy, program, { work: join(work, name) });
  try {
    const cells = new Map<ProxyCaseName, string>();
    for (const each of PROXY_CASES) {
      if (!cases.has(each.name)) continue;
      const cell = await tryCase(each.name, stage, soak);
      cells.set(each.name, cell);
      console.log(`   ${each.name}: ${cell}`);
    }
    return { title, cells };
  } finally {
    await stage.close();
  }
}

async function tryCase(name: ProxyCaseName, stage: ProxyStage, soak: boolean): Promise<string> {
  const others: Partial<Record<ProxyCaseName, typeof silentCalls>> = {
    silence: soak ? realSilence : silentCalls,
    impatient: impatientProxy,
    killed: killedGateway,
    rolling: rollingGateways,
  };
  const run = CALL_CASES[name] ?? others[name];
  if (run === undefined) throw new Error(`nothing tries ${name}`);
  try {
    const figure = await Promise.race([run(stage), passed(CASE_MS, undefined, { ref: false })]);
    return figure === undefined ? `${WRONG} no end within ${CASE_MS / 1_000} s` : figure || 'ok';
  } catch (error) {
    return `${WRONG} ${endOf(error)}`;
  }
}

/** Draws proxy × case as Markdown. */
function table(columns: readonly Column[]): string {
  const row = (first: string, others: readonly string[]): string => `| ${first} | ${others.join(' | ')} |`;
  return [
    row(
      'case',
      columns.map(({ title }) => title),
    ),
    row(
      '---',
      columns.map(() => '---'),
    ),
    ...PROXY_CASES.map(({ name, title }) =>
      row(
        title,
        columns.map(({ cells }) => cells.get(name) ?? '–'),
      ),
    ),
  ].join('\n');
}

process.exitCode = await main();
