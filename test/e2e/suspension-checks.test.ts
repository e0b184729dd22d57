import { describe, expect, test } from 'vitest';

import { PROVIDERS } from '../../src/core/provider.ts';
import { createFreeCheck } from '../../src/targets/free-calls.ts';
import { LearntQuirks } from '../../src/targets/learnt-quirks.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { createConfig } from '../../src/config/load.ts';
import { adapterFor } from '../../src/providers/registry.ts';
import { system } from '../../src/system.ts';
import { createMockTransport } from '../../src/mock/scripted-transport.ts';
import { createUpstreamTarget } from '../../src/upstream/target-client.ts';
import { respond } from '../support/chaos-upstream.ts';
import { ask, chaosUpstream, chatTarget, gatewayFor, UNDERSTUDY } from '../support/failover-stage.ts';
import { errorAnswer, goodAnswer } from '../support/openai-bodies.ts';
import { trailOf } from '../support/rpc-error.ts';

/** Timers that go off when a test says so: a suspension lasts a minute. */
function heldTimers() {
  const due: { readonly ms: number; readonly fire: () => void }[] = [];
  const setIdleTimer = (ms: number, fire: () => void) => {
    const timer = { ms, fire };
    due.push(timer);
    return timer;
  };
  const clearTimer = (handle: object | number) => {
    const index = due.findIndex((timer) => timer === handle);
    if (index === -1) system.clearTimer(handle);
    else due.splice(index, 1);
  };
  return { due, changes: { setIdleTimer, clearTimer }, fireNext: () => due.shift()?.fire() };
}

async function suspendedLead() {
  const lead = await chaosUpstream();
  const timers = heldTimers();
  const targets = [chatTarget('lead', lead.origin), UNDERSTUDY];
  const gateway = await gatewayFor({ targets }, timers.changes);
  lead.script(...errorAnswer(401, 'invalid_api_key'));
  const { attempts } = await ask(gateway, 'Chat');
  expect(trailOf(attempts)).toEqual(['FIRST lead PROVIDER_AUTH_FAILED', 'FAILOVER understudy OK']);
  const reason = async () => {
    const { providers } = await gateway.client.call(LlmService.method.health, {});
    return providers.find(({ target }) => target === 'lead')?.suspendedReason;
  };
  return { lead, timers, gateway, reason };
}

describe('a target whose key is refused', () => {
  test('is asked for its list of models, and used again when it gives it', async () => {
    const { lead, timers, gateway, reason } = await suspendedLead();
    expect(timers.due.map(({ ms }) => Math.round(ms / 1_000))).toEqual([55]);
    expect(await reason()).toBe('auth');
    lead.script(respond(200, 'application/json', '{"object":"list","data":[]}'));
    timers.fireNext();
    expect(await lead.request(1)).toMatchObject({
      method: 'GET',
      path: '/v1/models',
      headers: { authorization: 'Bearer sk-test' },
      body: '',
    });
    await expect.poll(reason).toBe('');
    lead.script(...goodAnswer(false, 'hello'));
    expect(trailOf((await ask(gateway, 'Chat')).attempts)).toEqual(['FIRST lead OK']);
    expect(timers.due).toEqual([]);
  });

  test('stays suspended where the list is refused as well, and is asked again a minute later', async () => {
    const { lead, timers, gateway, reason } = await suspendedLead();
    lead.script(...errorAnswer(401, 'invalid_api_key'));
    timers.fireNext();
    await lead.request(1);
    await expect.poll(() => timers.due.map(({ ms }) => Math.round(ms / 1_000))).toEqual([60]);
    expect(await reason()).toBe('auth');
    expect(trailOf((await ask(gateway, 'Chat')).attempts)).toEqual([
      'SKIPPED lead PROVIDER_AUTH_FAILED',
      'FIRST understudy OK',
    ]);
  });

  test('is hung up on when the gateway closes while it is asked', async () => {
    const { lead, timers, gateway } = await suspendedLead();
    lead.script({ do: 'await_close' });
    timers.fireNext();
    const { connection } = await lead.request(1);
    await gateway.close();
    await (
      await lead.connection(connection)
    ).closed;
    expect(timers.due).toEqual([]);
  });
});

test.each(PROVIDERS)('the mock answers the free call of %s', async (provider) => {
  const base = provider === 'mock' ? {} : { mock: true, base_url: 'http://127.0.0.1:1/v1', api_key: 'sk' };
  const own = { name: 'own', provider, model: 'mock-ok', ...base };
  const [config] = createConfig({ config: { targets: [own] } }).targets;
  if (config === undefined) throw new Error('there is no target');
  const adapter = adapterFor(provider, 'chat_completions', config.baseUrl);
  const transport = createMockTransport({ runtime: system, provider, seed: 1 });
  const upstream = createUpstreamTarget({ head: config, adapter, transport, runtime: system });
  const check = createFreeCheck(new Map([['own', { config, adapter, upstream, quirks: new LearntQuirks() }]]));
  expect(check.covers('own', 'PROVIDER_AUTH_FAILED')).toBe(true);
  expect(await check.run('own', new AbortController().signal)).toBe('usable');
  await upstream.close();
});
