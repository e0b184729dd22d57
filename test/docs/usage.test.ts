import { execFileSync } from 'node:child_process';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { run } from '../../clients/typescript/test/support/packed-package.ts';
import { askStore } from '../../src/ledger/queries/ask-store.ts';
import { openAdmin } from '../../src/server/admin/operator-door.ts';
import { openGrpcDoor } from '../../src/server/grpc/native-door.ts';
import { createHandlers } from '../../src/server/handlers/rpc-handlers.ts';
import { ServingStatus } from '../../src/server/health/serving-status.ts';
import { createUsageHandlers } from '../../src/server/usage/serve-usage.ts';
import { system } from '../../src/system.ts';
import { blocksOf } from '../clients/snippets/blocks.ts';
import { fakeGateway } from '../server/support/fake-gateway.ts';
import { runCommand } from '../support/command-run.ts';
import { readFromRoot } from '../support/doc-tables.ts';
import { STORES_OF_USAGE } from '../support/stores-of-usage.ts';
import { usageRecord } from '../support/usage-records.ts';

const PAGE = readFromRoot('docs/usage.md');
const COMMANDS = blocksOf(PAGE)
  .filter(({ language }) => language === 'sh')
  .flatMap(({ code }) => code.trim().split('\n'));

const NOW_MS = Date.UTC(2026, 10, 30, 15);

const closing: (() => Promise<void>)[] = [];
let admin: string;
let grpc: string;

beforeAll(async () => {
  const store = await STORES_OF_USAGE.find(({ name }) => name === 'SQLite')?.open?.();
  if (store === undefined) throw new Error('there is no SQLite');
  await store.holds([
    usageRecord({ labels: { team: 'red' }, startedAtMs: Date.UTC(2026, 10, 2) }),
    usageRecord({ callId: 'b', number: 1, requestId: 'request-2', caller: 'search', costNanoUsd: 1_234_567_890_123n }),
    usageRecord({ callId: 'c', requestId: 'request-3', costNanoUsd: undefined, costSource: 'UNKNOWN' }),
  ]);
  const parts = {
    queries: askStore(store),
    wall: () => NOW_MS,
    newRequestId: () => 'made-here',
    random: () => 0.5,
  };
  const gateway = fakeGateway(() => Promise.reject(new Error('nobody calls')));
  const shared = { address: '127.0.0.1:0', runtime: system };
  const serving = new ServingStatus(() => gateway.targets(), system);
  const listener = await openAdmin({ ...shared, isReady: () => true, usage: parts });
  const usage = createUsageHandlers(parts, 'operators');
  const door = await openGrpcDoor({
    ...shared,
    serving,
    usage,
    handlers: createHandlers(gateway, { random: () => 0.5 }),
  });
  serving.startServing();
  closing.push(
    () => listener.close(),
    () => door.drain(0),
    () => store.close(),
  );
  admin = listener.address;
  grpc = door.address;
});

afterAll(async () => {
  for (const close of closing) await close();
});

/** Has a command of the page ask the gateway of this test. */
function pointed(command: string): string {
  return command.replaceAll('127.0.0.1:9464', admin).replaceAll('127.0.0.1:50051', grpc);
}

/** The arguments of a command of the page, without what stands behind `#`. */
function wordsOf(command: string): readonly string[] {
  return pointed(command)
    .replace(/\s+#.*$/, '')
    .split(' ');
}

/** Runs a command of the page as a shell does. */
async function shell(command: string): Promise<string> {
  const { stdout } = await run('/bin/sh', ['-c', pointed(command)], {
    env: { ...process.env, UNDERSTUDY_API_KEY: 'k' },
  });
  return stdout;
}

function found(start: string): readonly string[] {
  const commands = COMMANDS.filter((command) => command.startsWith(start));
  expect(commands.length).toBeGreaterThan(0);
  return commands;
}

describe('docs/usage.md', () => {
  test('shows how to ask on the command line', async () => {
    const answers: string[] = [];
    for (const command of found('understudy usage')) {
      const { status, stdout, stderr } = await runCommand(wordsOf(command).slice(1), {
        env: { UNDERSTUDY_ADDRESS: grpc },
      });
      expect({ command, status, stderr }).toEqual({ command, status: 0, stderr: '' });
      answers.push(stdout);
    }
    const [own = '', everybodys = '', csv = '', json = '', attempts = ''] = answers;
    expect(own).toBe(everybodys);
    expect(everybodys.split('\n').map((line) => line.trimEnd())).toEqual([
      'Usage from 2026-11-01 to 2026-11-30 15:00 UTC',
      '',
      'caller   model                 requests  attempts  input  cached  output              cost  list price  cost unknown',
      'billing  gpt-6-sol-2026-10-01         2         2  2,000       0     200           $0.0028     $0.0056             1',
      'search   gpt-6-sol-2026-10-01         1         1  1,000       0     100  $1,234.567890123     $0.0028',
      'total                                           3  3,000       0     300  $1,234.570690123     $0.0084             1',
      '',
    ]);
    expect(csv.split('\r\n')).toEqual([
      'day,label:team,requests,attempts,input_tokens,cached_input_tokens,output_tokens,reasoning_tokens,cost_usd,cost_nano_usd,list_usd,list_nano_usd,unknown_cost_attempts',
      '2026-11-02T00:00:00Z,red,1,1,1000,0,100,10,0.0028,2800000,0.0028,2800000,0',
      '2026-11-30T00:00:00Z,,2,2,2000,0,200,20,1234.567890123,1234567890123,0.0056,5600000,1',
      '',
    ]);
    expect(JSON.parse(json)).toMatchObject({ rows: [{ key: ['default'], attempts: '2', unknownCostAttempts: '1' }] });
    expect(attempts).toMatch(
      /^began .*\n2026-11-02T00:00:00\.000Z {2}billing {2}1 {2}FIRST {2}openai .* OK .* \$0\.0028 /,
    );
  });

  test('shows how to ask with curl', async () => {
    const [sums = '', attempts = '', usage = '', rows = ''] = await Promise.all(found('curl').map(shell));
    expect(JSON.parse(sums)).toMatchObject({
      rows: [
        { key: ['billing', ''] },
        { key: ['billing', 'red'] },
        { key: ['search', ''], costNanoUsd: '1234567890123' },
      ],
    });
    expect(JSON.parse(attempts)).toMatchObject({ attempts: [{ requestId: 'request-1', caller: 'billing' }] });
    expect(usage.split('\r\n')).toHaveLength(5);
    expect(rows.split('\r\n')).toHaveLength(3);
  });

  test.skipIf(!hasGrpcurl())('shows how to ask with grpcurl (skipped where it is not installed)', async () => {
    for (const command of found('grpcurl')) {
      expect(JSON.parse(await shell(command))).toMatchObject({ rows: [{ attempts: '3' }] });
    }
  });

  test('names every column of the files', async () => {
    const heading = (await shell(`curl -s 'http://127.0.0.1:9464/usage.csv'`)).split('\r\n')[0] ?? '';
    for (const column of heading.split(',').filter((name) => !name.endsWith('_usd') || name.includes('nano'))) {
      expect(PAGE).toContain(`\`${column}\``);
    }
  });
});

function hasGrpcurl(): boolean {
  try {
    execFileSync('grpcurl', ['-version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
