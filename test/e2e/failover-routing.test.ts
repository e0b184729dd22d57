import { describe, expect, test } from 'vitest';

import { WarningCode } from '../../gen/understudy/v1/routing_pb.ts';
import type { Method, Question } from '../support/failover-stage.ts';
import { stage } from '../support/failover-stage.ts';
import { errorAnswer, goodAnswer } from '../support/openai-bodies.ts';
import { rpcError, trailOf } from '../support/rpc-error.ts';

const REFUSED = errorAnswer(401, 'invalid_api_key');

function modelOf(body: string): unknown {
  return (JSON.parse(body) as { readonly model?: unknown }).model;
}

describe.each<Method>(['Chat', 'StreamChat'])('%s: where a request goes', (method) => {
  const good = goodAnswer(method === 'StreamChat', 'from the lead');

  test('a model that the second target lacks is replaced by its own, and the answer says so', async () => {
    const { lead, ask } = await stage();
    lead.script(...REFUSED);
    const answer = await ask(method, { model: 'model-1' });
    expect(trailOf(answer.attempts)).toEqual(['FIRST lead PROVIDER_AUTH_FAILED', 'FAILOVER understudy OK']);
    expect(answer.attempts.map(({ model }) => model)).toEqual(['model-1', 'mock-ok']);
    expect(answer).toMatchObject({ model: 'mock-ok', metadata: { requested_model: 'model-1' } });
    expect(answer.warnings).toMatchObject([
      { code: WarningCode.MODEL_SUBSTITUTED, field: 'model', target: 'understudy' },
    ]);
  });

  test('exact_model leaves the others out', async () => {
    const { lead, ask } = await stage();
    lead.script(...REFUSED);
    const error = await rpcError(ask(method, { model: 'model-1', routing: { exactModel: true } }));
    expect(error).toMatchObject({ code: 'INTERNAL', reason: 'ALL_PROVIDERS_FAILED', pushback: '-1' });
    expect(trailOf(error.trail)).toEqual(['FIRST lead PROVIDER_AUTH_FAILED']);
  });

  test('disable_fallback asks the first target alone', async () => {
    const { lead, ask } = await stage();
    lead.script(...REFUSED);
    const error = await rpcError(ask(method, { routing: { disableFallback: true } }));
    expect(error).toMatchObject({ code: 'INTERNAL', reason: 'ALL_PROVIDERS_FAILED' });
    expect(trailOf(error.trail)).toEqual(['FIRST lead PROVIDER_AUTH_FAILED']);
  });

  test.each(['mock', 'understudy'])(
    'preferred_provider %s goes first, the others stay behind it',
    async (preferred) => {
      const { lead, ask } = await stage();
      const answer = await ask(method, { routing: { preferredProvider: preferred } });
      expect(trailOf(answer.attempts)).toEqual(['FIRST understudy OK']);
      expect(lead.connectionCount).toBe(0);
      lead.script(...good);
      const other = await ask(method, { model: 'understudy/mock-401', routing: { preferredProvider: preferred } });
      expect(trailOf(other.attempts)).toEqual(['FIRST understudy PROVIDER_AUTH_FAILED', 'FAILOVER lead OK']);
      expect(other.text).toBe('from the lead');
    },
  );

  test('a model behind the name of a target goes to that target', async () => {
    const { lead, ask } = await stage();
    const answer = await ask(method, { model: 'understudy/mock-echo', text: 'Say it' });
    expect(answer).toMatchObject({ target: 'understudy', model: 'mock-echo', warnings: [], text: 'Say it' });
    expect(lead.connectionCount).toBe(0);
  });

  test('a model that nobody knows goes to the first target as it is', async () => {
    const { lead, ask } = await stage();
    lead.script(...good);
    const answer = await ask(method, { model: 'some-lab/new-model' });
    expect(trailOf(answer.attempts)).toEqual(['FIRST lead OK']);
    expect(modelOf((await lead.request(0)).body)).toBe('some-lab/new-model');
  });

  test('a route and a list of targets have their order', async () => {
    const routes = [{ name: 'backwards', targets: ['understudy/mock-401', 'lead/model-9'] }];
    const { lead, ask } = await stage({ routes });
    lead.script(...good);
    const byRoute = await ask(method, { routing: { route: 'backwards' } });
    expect(trailOf(byRoute.attempts)).toEqual(['FIRST understudy PROVIDER_AUTH_FAILED', 'FAILOVER lead OK']);
    expect(modelOf((await lead.request(0)).body)).toBe('model-9');
    lead.script(...good);
    const byList = await ask(method, { routing: { targets: ['lead', 'understudy'] } });
    expect(trailOf(byList.attempts)).toEqual(['FIRST lead OK']);
  });

  test('a model that nobody knows is told with the targets, and where to look', async () => {
    const { lead, ask } = await stage();
    lead.script(...errorAnswer(404, 'model_not_found'));
    const error = await rpcError(ask(method, { model: 'model-0', routing: { exactModel: true } }));
    expect(error).toMatchObject({ code: 'NOT_FOUND', reason: 'ALL_PROVIDERS_FAILED' });
    expect(error.message).toContain('The requested model is unknown to lead; ListModels lists');
  });

  type Wish = NonNullable<Question['routing']>;
  test.each<{ wish: Wish; reason: string; field: string; says: string }>([
    { wish: { route: 'nowhere' }, reason: 'ROUTE_NOT_FOUND', field: 'routing.route', says: 'there are: default' },
    {
      wish: { targets: ['lead', 'nobody'] },
      reason: 'TARGET_NOT_FOUND',
      field: 'routing.targets[1]',
      says: 'there are: lead, understudy',
    },
    {
      wish: { preferredProvider: 'anthropic' },
      reason: 'TARGET_NOT_FOUND',
      field: 'routing.preferred_provider',
      says: 'it has: lead (openai), understudy (mock)',
    },
  ])('$reason names $field and what there is, and contacts nobody', async ({ wish, reason, field, says }) => {
    const { lead, ask } = await stage();
    const error = await rpcError(ask(method, { routing: wish }));
    expect(error).toMatchObject({ code: 'NOT_FOUND', reason, fields: [field], trail: [] });
    expect(error.message).toContain(says);
    // Nothing was sent, so that nothing forbids the client to try again.
    expect(error.pushback).toBeUndefined();
    expect(lead.connectionCount).toBe(0);
  });
});
