import { expect, describe, test } from 'vitest';

import { CircuitState } from '../../gen/understudy/v1/health_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import type { ConfigInput } from '../../src/config/file/schema.ts';
import type { ChaosUpstream } from '../support/chaos-upstream.ts';
import { head, respond, send } from '../support/chaos-upstream.ts';
import type { FailoverStage, Method } from '../support/failover-stage.ts';
import { ask, chaosUpstream, chatTarget, gatewayFor, stage, UNDERSTUDY } from '../support/failover-stage.ts';
import { errorAnswer, goodAnswer } from '../support/openai-bodies.ts';
import { rpcError, trailOf } from '../support/rpc-error.ts';

type TargetInput = NonNullable<ConfigInput['targets']>[number];

/** Refusals in the words of nobody. */
const REFUSALS = [
  { name: 'an error of its own making', script: errorAnswer(400, 'frobnication_error') },
  { name: 'a detail alone', script: [respond(422, 'application/json', '{"detail":[{"loc":["body"],"msg":"no"}]}')] },
  { name: 'text', script: [respond(400, 'text/plain', 'I would rather not.')] },
  { name: 'nothing', script: [head(400, { 'content-length': 0 }), send('')] },
];

/** Targets that speak with an upstream in each dialect. */
const DIALECTS: readonly { readonly name: string; readonly target: (upstream: ChaosUpstream) => TargetInput }[] = [
  { name: 'Chat Completions', target: ({ origin }) => chatTarget('lead', origin) },
  { name: 'Responses', target: ({ origin }) => chatTarget('lead', origin, { api: 'responses' }) },
  {
    name: 'Messages',
    target: ({ origin }) => ({ name: 'lead', provider: 'anthropic', base_url: origin, api_key: 'k', model: 'm' }),
  },
  { name: 'Ollama', target: ({ origin }) => ({ name: 'lead', provider: 'ollama', base_url: origin, model: 'm' }) },
];

async function leadHealth({ gateway }: Pick<FailoverStage, 'gateway'>) {
  const { providers } = await gateway.client.call(LlmService.method.health, {});
  return providers.find(({ target }) => target === 'lead');
}

describe.each<Method>(['Chat', 'StreamChat'])('%s: a server that is not the provider’s own', (method) => {
  test.each(REFUSALS)('refuses with $name what the next target answers', async ({ script }) => {
    const scene = await stage();
    // More often than a circuit bears failures.
    for (let count = 0; count < 6; count += 1) {
      scene.lead.script(...script);
      const { attempts, target } = await scene.ask(method);
      expect(trailOf(attempts)).toEqual(['FIRST lead INVALID_REQUEST', 'FAILOVER understudy OK']);
      expect(target).toBe('understudy');
    }
    expect(scene.lead.requestCount).toBe(6);
    expect(await leadHealth(scene)).toMatchObject({
      healthy: true,
      circuit: CircuitState.CLOSED,
      failures: 0n,
      suspendedReason: '',
    });
    scene.lead.script(...goodAnswer(method === 'StreamChat', 'gladly'));
    expect(trailOf((await scene.ask(method)).attempts)).toEqual(['FIRST lead OK']);
  });

  test.each(DIALECTS)('is passed over in every dialect: $name', async ({ target }) => {
    const lead = await chaosUpstream();
    const gateway = await gatewayFor({ targets: [target(lead), UNDERSTUDY] });
    lead.script(...errorAnswer(422, null));
    const { attempts } = await ask(gateway, method);
    expect(trailOf(attempts)).toEqual(['FIRST lead INVALID_REQUEST', 'FAILOVER understudy OK']);
    expect(attempts[0]?.httpStatus).toBe(422);
  });

  test('is asked once, and the caller is told to be wrong where all of them say so', async () => {
    const [second, third] = [await chaosUpstream(), await chaosUpstream()];
    const others = [chatTarget('second', second.origin), chatTarget('third', third.origin, { model: 'model-3' })];
    const { lead, ask: call } = await stage({ others });
    for (const upstream of [lead, second, third]) upstream.script(...errorAnswer(400, null));
    const told = await rpcError(call(method));
    expect(told).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST', pushback: '-1' });
    expect(trailOf(told.trail)).toEqual([
      'FIRST lead INVALID_REQUEST',
      'FAILOVER second INVALID_REQUEST',
      'FAILOVER third INVALID_REQUEST',
    ]);
    expect([lead, second, third].map(({ requestCount }) => requestCount)).toEqual([1, 1, 1]);
  });

  test('leaves the question open where the next one is down', async () => {
    const second = await chaosUpstream();
    const { lead, ask: call } = await stage({
      others: [chatTarget('second', second.origin)],
      retry: { max_repeats: 0 },
    });
    lead.script(...errorAnswer(400, null));
    second.script(...errorAnswer(503, null));
    const told = await rpcError(call(method));
    expect(told).toMatchObject({ code: 'UNAVAILABLE', reason: 'ALL_PROVIDERS_FAILED' });
    expect(trailOf(told.trail)).toEqual(['FIRST lead INVALID_REQUEST', 'FAILOVER second PROVIDER_UNAVAILABLE']);
  });

  test('is not asked behind the provider itself, whose word is final', async () => {
    const second = await chaosUpstream();
    const own: TargetInput = { name: 'own', provider: 'openai', model: 'mock-ok', mock: true };
    const gateway = await gatewayFor({ targets: [own, chatTarget('second', second.origin)] });
    const providerOptions = { openai: { frobnicate: true } };
    const told = await rpcError(ask(gateway, method, { options: { providerOptions } }));
    expect(told).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST' });
    expect(trailOf(told.trail)).toEqual(['FIRST own INVALID_REQUEST']);
    expect(second.requestCount).toBe(0);
  });
});
