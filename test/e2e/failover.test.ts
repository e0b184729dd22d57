import { describe, expect, test } from 'vitest';

import { startChaosUpstream } from '../support/chaos-upstream.ts';
import { FAULTS, rateLimit, RESET } from '../support/early-faults.ts';
import type { Method } from '../support/failover-stage.ts';
import { ask, chaosUpstream, chatTarget, gatewayFor, stage, UNDERSTUDY } from '../support/failover-stage.ts';
import { errorAnswer, goodAnswer } from '../support/openai-bodies.ts';
import { rpcError, trailOf } from '../support/rpc-error.ts';
import { REAL_TIME } from '../support/real-time.ts';

describe.each<Method>(['Chat', 'StreamChat'])('%s: the second target answers after', REAL_TIME, (method) => {
  test.each(FAULTS.filter(({ only = method }) => only === method))(
    '$name',
    async ({ script, outcomes, httpStatus, isSilence }) => {
      const { lead, ask: call } = await stage(
        isSilence === true ? { lead: { timeouts: { first_output: '250ms' } } } : {},
      );
      for (const steps of script) lead.script(...steps);
      const answer = await call(method);
      const told = outcomes.map((outcome, index) => `${index === 0 ? 'FIRST' : 'RETRY'} lead ${outcome}`);
      expect(trailOf(answer.attempts)).toEqual([...told, 'FAILOVER understudy OK']);
      expect(answer.attempts[0]?.httpStatus).toBe(httpStatus);
      expect(lead.requestCount).toBe(outcomes.length);
      expect(answer).toMatchObject({ provider: 'mock', target: 'understudy', model: 'mock-ok', warnings: [] });
      expect(answer.text.split(' ').length).toBeGreaterThan(1);
    },
  );

  test('a connection that is refused, twice', async () => {
    const gone = await startChaosUpstream();
    await gone.close();
    const gateway = await gatewayFor({ targets: [chatTarget('lead', gone.origin), UNDERSTUDY] });
    const { attempts, target } = await ask(gateway, method);
    expect(trailOf(attempts)).toEqual([
      'FIRST lead PROVIDER_UNAVAILABLE',
      'RETRY lead PROVIDER_UNAVAILABLE',
      'FAILOVER understudy OK',
    ]);
    expect(attempts[0]).toMatchObject({ providerCode: 'ECONNREFUSED', cost: { nanoUsd: 0n } });
    expect(target).toBe('understudy');
  });
});

describe.each<Method>(['Chat', 'StreamChat'])('%s: one repeat on the same target is enough', (method) => {
  test.each([
    { name: 'after one 500', fault: errorAnswer(500, null), outcome: 'PROVIDER_UNAVAILABLE', waitMs: 10 },
    {
      name: 'after a short Retry-After',
      fault: rateLimit({ 'retry-after-ms': '60' }),
      outcome: 'PROVIDER_RATE_LIMITED',
      waitMs: 60,
    },
  ])('$name', async ({ fault, outcome, waitMs }) => {
    const { lead, ask: call } = await stage();
    lead.script(...fault);
    lead.script(...goodAnswer(method === 'StreamChat', 'at last'));
    const { attempts, text } = await call(method);
    expect(trailOf(attempts)).toEqual([`FIRST lead ${outcome}`, 'RETRY lead OK']);
    expect(attempts[1]?.waitBeforeMs).toBeGreaterThanOrEqual(waitMs);
    expect(text).toBe('at last');
  });

  test('after an idle connection that the provider had closed', async () => {
    const { lead, ask: call } = await stage();
    lead.script(...goodAnswer(method === 'StreamChat', 'first'));
    await call(method);
    lead.script(RESET);
    lead.script(...goodAnswer(method === 'StreamChat', 'second'));
    const { attempts, text } = await call(method);
    expect(trailOf(attempts)).toEqual(['FIRST lead PROVIDER_UNAVAILABLE', 'RETRY lead OK']);
    expect((await lead.request(1)).connection).toBe((await lead.request(0)).connection);
    expect(text).toBe('second');
  });
});

describe('a target that was told to wait, or that cannot work', () => {
  test.each([
    { name: 'rate limit', fault: errorAnswer(429, 'rate_limit_exceeded'), outcome: 'PROVIDER_RATE_LIMITED' },
    { name: 'key', fault: errorAnswer(401, 'invalid_api_key'), outcome: 'PROVIDER_AUTH_FAILED' },
    { name: 'credit', fault: errorAnswer(402, null), outcome: 'PROVIDER_QUOTA_EXHAUSTED' },
    { name: 'model', fault: errorAnswer(404, 'model_not_found'), outcome: 'PROVIDER_MODEL_NOT_FOUND' },
  ])('is passed over by the next request ($name)', async ({ fault, outcome }) => {
    const { lead, ask: call } = await stage();
    lead.script(...fault);
    await call('Chat');
    const { attempts } = await call('StreamChat');
    expect(trailOf(attempts)).toEqual([`SKIPPED lead ${outcome}`, 'FIRST understudy OK']);
    expect(lead.requestCount).toBe(1);
  });
});

describe.each<Method>(['Chat', 'StreamChat'])('%s: when no target can help', (method) => {
  test.each([
    {
      name: 'a prompt that a content filter refuses ends the chain',
      faults: [errorAnswer(400, 'content_filter')],
      error: { code: 'INVALID_ARGUMENT', reason: 'PROMPT_BLOCKED' },
      trail: ['FIRST lead PROMPT_BLOCKED'],
    },
    {
      name: 'a request that every server calls invalid is the caller’s mistake',
      faults: [errorAnswer(400, null), errorAnswer(422, null)],
      error: { code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST' },
      trail: ['FIRST lead INVALID_REQUEST', 'FAILOVER second INVALID_REQUEST'],
    },
    {
      name: 'failures of different kinds are UNAVAILABLE',
      faults: [errorAnswer(500, null), errorAnswer(401, 'invalid_api_key')],
      error: {
        code: 'UNAVAILABLE',
        reason: 'ALL_PROVIDERS_FAILED',
        info: { attempts: '2', lastProvider: 'openai', reasons: 'PROVIDER_UNAVAILABLE,PROVIDER_AUTH_FAILED' },
      },
      trail: ['FIRST lead PROVIDER_UNAVAILABLE', 'FAILOVER second PROVIDER_AUTH_FAILED'],
    },
    {
      name: 'rate limits everywhere are RESOURCE_EXHAUSTED with the shortest wait',
      faults: [rateLimit({ 'retry-after': '40' }), rateLimit({ 'retry-after': '20' })],
      error: { code: 'RESOURCE_EXHAUSTED', reason: 'ALL_PROVIDERS_FAILED', retryDelayMs: 20_000 },
      trail: ['FIRST lead PROVIDER_RATE_LIMITED', 'FAILOVER second PROVIDER_RATE_LIMITED'],
    },
    {
      name: 'refused keys everywhere are INTERNAL, never the blame of the caller',
      faults: [errorAnswer(401, 'invalid_api_key'), errorAnswer(403, null)],
      error: { code: 'INTERNAL', reason: 'ALL_PROVIDERS_FAILED' },
      trail: ['FIRST lead PROVIDER_AUTH_FAILED', 'FAILOVER second PROVIDER_AUTH_FAILED'],
    },
  ])('$name', async ({ faults: [first = [], second = []], error, trail }) => {
    const other = await chaosUpstream();
    const { lead, ask: call } = await stage({
      others: [chatTarget('second', other.origin, { model: 'model-2' })],
      retry: { max_repeats: 0 },
    });
    lead.script(...first);
    other.script(...second);
    const told = await rpcError(call(method));
    expect(told).toMatchObject({ ...error, domain: 'understudy', pushback: '-1' });
    expect(trailOf(told.trail)).toEqual(trail);
    expect([lead.requestCount, other.requestCount]).toEqual([1, trail.length - 1]);
  });
});
