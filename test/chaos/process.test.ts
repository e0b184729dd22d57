import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';

import { ANSWERED, BEGINNING, BEGUN, WHOLE } from '../support/chaos-stage.ts';
import type { ChaosStep, ChaosUpstream } from '../support/chaos-upstream.ts';
import { chunk, lastChunk } from '../support/chaos-upstream.ts';
import { chaosUpstream, chatTarget } from '../support/failover-stage.ts';
import { errorAnswer, STREAM_END, textEvent } from '../support/openai-bodies.ts';
import { openRpcClient } from '../support/rpc-client.ts';
import type { RpcClient } from '../support/rpc-client.ts';
import type { UnderstudyProcess } from '../support/understudy-process.ts';
import { startUnderstudy } from '../support/understudy-process.ts';
import type { Way } from '../support/ways.ts';
import { askIn } from '../support/ways.ts';

interface Scene {
  readonly lead: ChaosUpstream;
  readonly child: UnderstudyProcess;
  readonly client: RpcClient;
}

/** A gateway as a process of its own, before a lone lead. */
async function scene(): Promise<Scene> {
  const lead = await chaosUpstream();
  const folder = await mkdtemp(join(tmpdir(), 'understudy-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'understudy.json');
  const retry = { backoff: ['60s'], jitter: 'NONE' };
  await writeFile(
    path,
    JSON.stringify({ targets: [chatTarget('lead', lead.origin)], retry, server: { drain: { pause: '0s' } } }),
  );
  const child = startUnderstudy(['--config', path]);
  onTestFinished(() => child.close());
  const client = openRpcClient((await child.doors).grpc);
  onTestFinished(() => client.close());
  return { lead, child, client };
}

const REST: readonly ChaosStep[] = [
  chunk(textEvent('the ')),
  chunk(textEvent('question.')),
  chunk(STREAM_END),
  lastChunk,
];

describe('SIGTERM', () => {
  test.each<{ name: string; way: Way; before: readonly ChaosStep[]; after: readonly ChaosStep[] }>([
    { name: 'before the provider answers', way: 'StreamChat', before: [], after: ANSWERED },
    { name: 'within the answer', way: 'Chat', before: BEGUN, after: REST },
  ])('$name: the call goes on to its end, and the process ends with 0', async ({ way, before, after }) => {
    const { lead, child, client } = await scene();
    const { promise: until, resolve } = Promise.withResolvers<void>();
    lead.script(...before, { do: 'hold', until }, ...after);
    const asked = askIn({ client }, way);
    await lead.request(0);
    child.kill('SIGTERM');
    await untilRefused(client, way);
    resolve();
    expect(await asked).toMatchObject({ trail: ['FIRST lead OK'], delivered: WHOLE });
    client.close();
    expect(await child.ended).toEqual({ code: 0, signal: null });
  });

  test('in the wait before a repeat: there is no repeat', async () => {
    const way = 'Chat';
    const { lead, child, client } = await scene();
    lead.script(...errorAnswer(500, null));
    const asked = askIn({ client }, way);
    await lead.request(0);
    // Only a call that waits a minute is still there once the next one has been answered.
    lead.script(...ANSWERED);
    await askIn({ client }, way);
    child.kill('SIGTERM');
    const { error } = await asked;
    expect([error?.code, error?.reason]).toEqual(['UNAVAILABLE', 'ALL_PROVIDERS_FAILED']);
    expect(lead.requestCount).toBe(2);
    client.close();
    expect(await child.ended).toEqual({ code: 0, signal: null });
  });

  test.each(['Chat', 'StreamChat with RESTART'] as const)(
    'and a break within the answer: nothing begins anew (%s)',
    async (way) => {
      const { lead, child, client } = await scene();
      const { promise: until, resolve } = Promise.withResolvers<void>();
      lead.script(...BEGUN, { do: 'hold', until }, { do: 'reset' });
      const asked = askIn({ client }, way);
      await lead.request(0);
      child.kill('SIGTERM');
      await untilRefused(client, way);
      resolve();
      const { error, delivered } = await asked;
      expect(error).toBeDefined();
      expect(delivered).toBe(way === 'Chat' ? '' : BEGINNING);
      expect(lead.requestCount).toBe(1);
      client.close();
      expect(await child.ended).toEqual({ code: 0, signal: null });
    },
  );
});

/** Asks until the process takes nothing new any more. */
async function untilRefused(client: RpcClient, way: Way): Promise<void> {
  for (;;) {
    const { error } = await askIn({ client }, way, { routing: { targets: ['nobody'] } });
    // Its connection was told to go elsewhere, and there is nowhere else.
    if (error?.code === 'UNAVAILABLE') return;
    expect(error?.reason).toBe('TARGET_NOT_FOUND');
  }
}
