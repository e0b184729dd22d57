import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { type Attempt, AttemptKind } from '../../gen/understudy/v1/routing_pb.ts';
import { askStore } from '../../src/ledger/queries/ask-store.ts';
import { SqliteStore } from '../../src/ledger/store/sqlite-store.ts';
import { openRpcClient, type RpcClient } from '../support/rpc-client.ts';
import { RpcError } from '../support/rpc-error.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { startUnderstudy } from '../support/understudy-process.ts';

const QUESTION = [{ role: Role.USER, content: [{ part: { case: 'text' as const, value: 'Who is there?' } }] }];
const CALLERS = 16;
const LIVES = 4;

const CONFIG = `
targets:
  - { name: first, provider: mock, model: mock-429-then-ok }
  - { name: second, provider: mock, model: mock-ok }
retry: { order: NEXT_FIRST }
ledger: { sqlite: usage.db }
`;

/** Asks one thing after the other until the gateway is gone; every trail that came is kept by the id of its request. */
async function askUntilTheEnd(
  client: RpcClient,
  name: string,
  keep: (requestId: string, trail: readonly Attempt[]) => void,
): Promise<void> {
  for (let at = 0; ; at++) {
    const requestId = `${name}-${at}`;
    const asked = { requestId, messages: QUESTION };
    try {
      if (at % 2 === 0) {
        const { attempts } = await client.call(LlmService.method.chat, asked);
        keep(requestId, attempts);
      } else {
        const events = await client.stream(LlmService.method.streamChat, asked).done;
        const finished = events.at(-1)?.event;
        if (finished?.case === 'finished') keep(requestId, finished.value.attempts);
      }
    } catch (error) {
      if (error instanceof RpcError) return;
      throw error;
    }
  }
}

test('what a client has in its trail is in the ledger to the nano-dollar, though the gateway is killed again and again', async () => {
  const folder = temporaryFolder();
  const config = join(folder, 'understudy.yaml');
  writeFileSync(config, CONFIG);
  const trails = new Map<string, readonly Attempt[]>();
  for (let life = 0; life < LIVES; life++) {
    const child = startUnderstudy(['--config', config]);
    onTestFinished(() => child.close());
    const { grpc } = await child.doors;
    const killAt = trails.size + 100 + Math.random() * 100;
    const keep = (requestId: string, trail: readonly Attempt[]): void => {
      trails.set(requestId, trail);
      if (trails.size >= killAt) child.kill('SIGKILL');
    };
    const clients = Array.from({ length: CALLERS }, () => openRpcClient(grpc));
    const ended = clients.map((client, at) => askUntilTheEnd(client, `r${life}-${at}`, keep));
    await Promise.all([...ended, child.ended]);
    for (const client of clients) client.close();
  }
  const last = startUnderstudy(['--config', config]);
  await last.doors;
  last.kill('SIGTERM');
  expect((await last.ended).code).toBe(0);

  const store = new SqliteStore(join(folder, 'usage.db'));
  const queries = askStore(store);
  let attempts = 0;
  for (const [requestId, trail] of trails) {
    const made = trail.filter(({ kind }) => kind !== AttemptKind.SKIPPED);
    const kept = await queries.attemptsOf(requestId);
    attempts += made.length;
    expect(
      kept.map(({ number, target, costNanoUsd, inputTokens, outputTokens }) => ({
        number,
        target,
        costNanoUsd,
        inputTokens,
        outputTokens,
      })),
    ).toEqual(
      made.map(({ number, target, cost, usage }) => ({
        number,
        target,
        costNanoUsd: cost?.nanoUsd,
        inputTokens: usage?.inputTokens,
        outputTokens: usage?.outputTokens,
      })),
    );
    expect(kept.filter(({ isServing }) => isServing)).toHaveLength(1);
  }
  expect(trails.size).toBeGreaterThan(LIVES * 100);
  expect(attempts).toBeGreaterThan(trails.size);
  await store.close();
});
