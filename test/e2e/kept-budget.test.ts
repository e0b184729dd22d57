import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { openRpcClient } from '../support/rpc-client.ts';
import { RpcError } from '../support/rpc-error.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { startUnderstudy } from '../support/understudy-process.ts';

const KEY = 'key-of-billing-0123456789';
const CONFIG = `
targets: [{ name: only, provider: mock, model: mock-ok }]
callers:
  - name: billing
    api_keys: [{ sha256: ${createHash('sha256').update(KEY).digest('hex')} }]
    budget: { usd: '0.002', per: month }
ledger: { sqlite: usage.db }
`;

test('a budget that is counted in memory is not renewed by a gateway that was killed', async () => {
  const config = join(temporaryFolder(), 'understudy.yaml');
  writeFileSync(config, CONFIG);
  const metadata = { authorization: `Bearer ${KEY}` };
  let spent = 0n;
  const ask = async (calls: number): Promise<RpcError | undefined> => {
    const child = startUnderstudy(['--config', config]);
    onTestFinished(() => child.close());
    const client = openRpcClient((await child.doors).grpc);
    onTestFinished(() => client.close());
    let refused: RpcError | undefined;
    for (let asked = 0; refused === undefined && asked < calls; asked++) {
      const request = { prompt: 'Who is there?', options: { maxTokens: 30 } };
      const answer = await client
        .call(LlmService.method.generate, request, { metadata })
        .catch((error: unknown) => error);
      if (answer instanceof RpcError) refused = answer;
      else spent += (answer as { readonly cost?: { readonly nanoUsd?: bigint } }).cost?.nanoUsd ?? 0n;
    }
    await child.close();
    return refused;
  };
  expect(await ask(5)).toBeUndefined();
  expect(await ask(5)).toBeUndefined();
  const spentBefore = spent;
  expect(spentBefore).toBeGreaterThan(0n);
  expect((await ask(100))?.reason).toMatch(/BUDGET_EXHAUSTED$/);
  const spentInAll = spent;
  expect(spentInAll).toBeLessThanOrEqual(2_000_000n);
  expect((await ask(100))?.reason).toMatch(/BUDGET_EXHAUSTED$/);
  expect(spent).toBe(spentInAll);
});
