import { describe, expect, it, onTestFinished } from 'vitest';

import { createConfig } from '../../src/config/load.ts';
import type { FreeCheck } from '../../src/engine/target/checks/free-check.ts';
import { adapterFor } from '../../src/providers/registry.ts';
import { system } from '../../src/system.ts';
import { createFreeCheck } from '../../src/targets/free-calls.ts';
import { LearntQuirks } from '../../src/targets/learnt-quirks.ts';
import { createUndiciTransport } from '../../src/upstream/network/undici-transport.ts';
import { createUpstreamTarget } from '../../src/upstream/target-client.ts';
import type { ChaosStep } from '../support/chaos-upstream.ts';
import { respond } from '../support/chaos-upstream.ts';
import { chaosUpstream, chatTarget } from '../support/failover-stage.ts';
import { errorAnswer } from '../support/openai-bodies.ts';

/** The free calls to a target that answers them in one way. */
async function checkOf(steps: readonly ChaosStep[]): Promise<FreeCheck> {
  const server = await chaosUpstream();
  server.otherwise(() => steps);
  const [config] = createConfig({ config: { targets: [chatTarget('own', server.origin)] } }).targets;
  if (config === undefined) throw new Error('there is no target');
  const adapter = adapterFor('openai', 'chat_completions', config.baseUrl);
  const transport = createUndiciTransport(system);
  const upstream = createUpstreamTarget({ head: config, adapter, transport, runtime: system });
  onTestFinished(() => upstream.close());
  return createFreeCheck(new Map([['own', { config, adapter, upstream, quirks: new LearntQuirks() }]]));
}

describe('a free call', () => {
  it.each([
    { says: 'down', where: 'nobody answers', steps: [{ do: 'reset' }] },
    { says: 'down', where: 'the fault is its own', steps: errorAnswer(503, null) },
    { says: 'unusable', where: 'its key is refused', steps: errorAnswer(401, 'invalid_api_key') },
    { says: 'unknown', where: 'it has no list', steps: errorAnswer(404, 'not_found') },
    { says: 'usable', where: 'it gives its list', steps: [respond(200, 'application/json', '{"data":[]}')] },
  ] as const)('says that a target is $says where $where', async ({ says, steps }) => {
    const check = await checkOf(steps);
    expect(await check.run('own', new AbortController().signal)).toBe(says);
  });
});
