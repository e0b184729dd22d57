import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { startGateway } from '../support/gateway-doors.ts';
import type { ServerDoor, ServerFolders } from './real-servers.ts';
import { SERVER_RECIPES } from './real-servers.ts';
import type { ServerCase } from './server-cases.ts';
import { SERVER_CASE_NAMES, tryCase } from './server-cases.ts';

const HELP = `Usage: npm run test:servers -- [--only llama,litellm] [--environments FOLDER] [--keep]

Starts real servers on loopback, asks them through a real gateway, and prints what came of it: docs/providers/real-servers.md.
Python environments are made in FOLDER (default: a temporary one, which goes with the rest); --keep leaves logs and models.
Ends with 0 where every case that a server can be asked came out right.

Servers: ${Object.keys(SERVER_RECIPES).join(', ')}
`;

/** What came of the cases at one door. */
type Column = { readonly title: string; readonly cells: ReadonlyMap<ServerCase, string> };

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: Object.keys(SERVER_RECIPES).join(',') },
      environments: { type: 'string' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const work = await mkdtemp(join(tmpdir(), 'understudy-servers-'));
  const folders = { work, environments: values.environments ?? join(work, 'environments') };
  const columns: Column[] = [];
  try {
    for (const name of values.only.split(',')) columns.push(...(await tryServer(name, folders)));
  } finally {
    if (values.keep) console.log(`Kept: ${work}`);
    else await rm(work, { recursive: true, force: true });
  }
  console.log(`\n${table(columns)}`);
  const wrong = columns.flatMap(({ cells }) =>
    [...cells.values()].filter((cell) => cell !== 'ok' && !isNotAsked(cell)),
  );
  console.log(`\n${columns.length} doors, ${wrong.length} cases that did not come out right`);
  return wrong.length === 0 ? 0 : 1;
}

async function tryServer(name: string, folders: ServerFolders): Promise<readonly Column[]> {
  const recipe = SERVER_RECIPES[name];
  if (recipe === undefined) throw new Error(`there is no recipe for ${name}`);
  console.log(`== ${recipe.title}`);
  try {
    const server = await recipe.start(folders);
    try {
      const columns: Column[] = [];
      for (const door of server.doors) columns.push(await tryDoor(door));
      return columns;
    } finally {
      await server.close();
    }
  } catch (error) {
    console.log(`   left out: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
}

async function tryDoor({ title, target, not }: ServerDoor): Promise<Column> {
  const names = { own: 'own', wrongKey: 'wrong-key', listing: 'listing', backup: 'backup' };
  const { model = '', ...unnamed } = target;
  const gateway = await startGateway({
    targets: [
      { ...target, name: names.own },
      { ...target, name: names.wrongKey, api_key: 'sk-that-nobody-knows' },
      { ...unnamed, name: names.listing },
      { name: names.backup, provider: 'mock', model: 'mock-ok' },
    ],
    retry: { max_repeats: 0 },
  });
  const cells = new Map<ServerCase, string>();
  try {
    for (const name of SERVER_CASE_NAMES) {
      const reason = not[name];
      const cell = reason === undefined ? await tryCase(name, { gateway, model, ...names }) : `– ${reason}`;
      cells.set(name, cell);
      console.log(`   ${title}, ${name}: ${cell}`);
    }
  } finally {
    await gateway.close();
  }
  return { title, cells };
}

function isNotAsked(cell: string): boolean {
  return cell.startsWith('–');
}

/** Draws server × case as Markdown; what is not right is told in the lines above it. */
function table(columns: readonly Column[]): string {
  const mark = (cell = ''): string => (isNotAsked(cell) ? '–' : cell === 'ok' ? 'ok' : '✗');
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
    ...SERVER_CASE_NAMES.map((name) =>
      row(
        name,
        columns.map(({ cells }) => mark(cells.get(name))),
      ),
    ),
  ].join('\n');
}

process.exitCode = await main();
