import { describe, expect, test } from 'vitest';

import { FinishReason } from '../../gen/understudy/v1/chat_pb.ts';
import { HealthStatus } from '../../gen/understudy/v1/health_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { ANSWERED, BEGUN, chaosStage, healthOf, OTHER, SAID, USAGE, WHOLE } from '../support/chaos-stage.ts';
import type { ChaosStep } from '../support/chaos-upstream.ts';
import { chunk, lastChunk, respond } from '../support/chaos-upstream.ts';
import { rateLimit } from '../support/early-faults.ts';
import { chaosUpstream, chatTarget, gatewayFor } from '../support/failover-stage.ts';
import { errorAnswer, event, goodAnswer, STREAM_HEAD } from '../support/openai-bodies.ts';
import { askIn, WAYS } from '../support/ways.ts';
import { REAL_TIME } from '../support/real-time.ts';

const UNTIL_GONE: ChaosStep = { do: 'await_close' };
const RESET: ChaosStep = { do: 'reset' };
const LIMITED = rateLimit({ 'retry-after-ms': '30' });

describe.each(WAYS)('%s, a sick lead before a healthy second target:', (way) => {
  test.each([
    { name: 'a 429 that lasts', fault: LIMITED, outcome: 'PROVIDER_RATE_LIMITED' },
    { name: 'a 503 that lasts', fault: errorAnswer(503, null), outcome: 'PROVIDER_UNAVAILABLE' },
  ])('$name costs two calls at most', async ({ fault, outcome }) => {
    const { lead, gateway } = await chaosStage();
    lead.script(...fault);
    lead.script(...fault);
    const { trail, delivered } = await askIn(gateway, way);
    expect(trail).toEqual([`FIRST lead ${outcome}`, `RETRY lead ${outcome}`, 'FAILOVER second OK']);
    expect([delivered, lead.requestCount]).toEqual([OTHER, 2]);
  });

  test.each([
    { name: 'one 500', fault: errorAnswer(500, null) },
    { name: 'one reset before headers', fault: [RESET] },
  ])('$name is cured by one repeat', async ({ fault }) => {
    const { lead, second, gateway } = await chaosStage();
    lead.script(...fault);
    lead.script(...ANSWERED);
    const { trail, delivered } = await askIn(gateway, way);
    expect(trail).toEqual(['FIRST lead PROVIDER_UNAVAILABLE', 'RETRY lead OK']);
    expect([delivered, lead.requestCount, second.connectionCount]).toEqual([WHOLE, 2, 0]);
  });

  test('the answer names the target, the provider and the model that gave it, with their usage', async () => {
    const [lead, third, model] = [await chaosUpstream(), await chaosUpstream(), 'model-3-2026-11-01'];
    const targets = [
      chatTarget('lead', lead.origin),
      chatTarget('third', third.origin, { provider: 'deepseek', base_url: third.origin, model: 'model-3' }),
    ];
    const gateway = await gatewayFor({ targets });
    const usage = { prompt_tokens: 21, completion_tokens: 4, total_tokens: 25 };
    lead.script(...errorAnswer(401, 'invalid_api_key'));
    third.script(
      STREAM_HEAD,
      chunk(event({ content: OTHER }, null, model) + event({}, 'stop', model)),
      chunk(`data: ${JSON.stringify({ model, choices: [], usage })}\n\ndata: [DONE]\n\n`),
      lastChunk,
    );
    const { answer, attempts } = await askIn(gateway, way);
    expect(answer).toMatchObject({ provider: 'deepseek', target: 'third', model });
    expect(answer?.usage).toMatchObject({ inputTokens: 21, outputTokens: 4, totalTokens: 25 });
    expect(attempts.at(-1)).toMatchObject({ provider: 'deepseek', target: 'third', model: 'model-3', httpStatus: 200 });
  });

  test('a prompt that is too long goes to no model that is no larger', async () => {
    const [lead, small, large] = [await chaosUpstream(), await chaosUpstream(), await chaosUpstream()];
    const claude = { provider: 'anthropic', base_url: lead.origin } as const;
    const gateway = await gatewayFor({
      targets: [
        chatTarget('lead', lead.origin, { ...claude, model: 'claude-opus-5-5' }),
        chatTarget('small', small.origin, { ...claude, base_url: small.origin, model: 'claude-haiku-4-5' }),
        chatTarget('same', small.origin, { ...claude, base_url: small.origin, model: 'claude-opus-5' }),
        chatTarget('large', large.origin, { model: 'gpt-6.1-sol' }),
      ],
    });
    // How much these models take is in the lists of their servers.
    const listed = (id: string, window: number) =>
      respond(200, 'application/json', JSON.stringify({ data: [{ id, owned_by: 'x', max_input_tokens: window }] }));
    lead.script(listed('claude-opus-5-5', 1_000_000));
    for (let asked = 0; asked < 2; asked += 1) {
      small.script(respond(200, 'application/json', JSON.stringify({ data: LISTED_SMALL })));
    }
    large.script(listed('gpt-6.1-sol', 1_050_000));
    await gateway.client.call(LlmService.method.listModels, {});
    const message = 'prompt is too long: 1000001 tokens > 1000000 maximum';
    const tooLong = JSON.stringify({ type: 'error', error: { type: 'invalid_request_error', message } });
    lead.script(respond(400, 'application/json', tooLong));
    large.script(...goodAnswer(true, OTHER));
    const { trail, delivered } = await askIn(gateway, way);
    expect(trail).toEqual([
      'FIRST lead CONTEXT_LENGTH_EXCEEDED',
      'SKIPPED small CONTEXT_LENGTH_EXCEEDED',
      'SKIPPED same CONTEXT_LENGTH_EXCEEDED',
      'FAILOVER large OK',
    ]);
    // One request for its list, and two for those of the others at the same place.
    expect([delivered, lead.requestCount, small.requestCount]).toEqual([OTHER, 2, 2]);
    expect(await healthOf(gateway, 'lead')).toMatchObject({ failures: 0n, suspendedReason: '' });
  });

  test('a prompt that is too long for all is the fault of the request', async () => {
    const { lead, second, gateway } = await chaosStage();
    lead.script(...errorAnswer(400, 'context_length_exceeded'));
    second.script(...errorAnswer(400, 'context_length_exceeded'));
    const { error } = await askIn(gateway, way, { routing: { targets: ['lead'] } });
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'CONTEXT_LENGTH_EXCEEDED' });
    expect(lead.requestCount).toBe(1);
  });

  test.each(['content_filter', 'content_policy_violation'])(
    'a prompt that is refused (%s) is not taken elsewhere',
    async (code) => {
      const { lead, second, gateway, leadHealth } = await chaosStage();
      lead.script(...errorAnswer(400, code));
      const { error, trail } = await askIn(gateway, way);
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'PROMPT_BLOCKED', pushback: '-1' });
      expect(trail).toEqual(['FIRST lead PROMPT_BLOCKED']);
      expect([lead.requestCount, second.connectionCount]).toEqual([1, 0]);
      expect((await leadHealth()).failures).toBe(0n);
    },
  );

  test('an answer that is filtered is told as such, with what came of it', async () => {
    const { lead, second, gateway } = await chaosStage();
    lead.script(...BEGUN, chunk(event({}, 'content_filter')), lastChunk);
    const { answer, trail } = await askIn(gateway, way);
    expect(trail).toEqual(['FIRST lead OK']);
    expect(answer).toMatchObject({ finishReason: FinishReason.CONTENT_FILTER, rawFinishReason: 'content_filter' });
    expect(second.connectionCount).toBe(0);
  });

  test('no target is given the beginning of an answer to go on with', async () => {
    const { lead, second, gateway } = await chaosStage();
    lead.script(...BEGUN, RESET);
    await askIn(gateway, way);
    if (second.requestCount === 0) return;
    const [first, other] = [await lead.request(0), await second.request(0)];
    const messagesOf = ({ body }: { body: string }): unknown => Reflect.get(Object(JSON.parse(body)), 'messages');
    expect(messagesOf(other)).toEqual(messagesOf(first));
    expect(messagesOf(other)).toEqual([{ role: 'user', content: 'hello' }]);
  });

  test.each([
    {
      name: 'a key that is refused',
      fault: errorAnswer(401, 'invalid_api_key'),
      outcome: 'PROVIDER_AUTH_FAILED',
      word: 'auth',
    },
    {
      name: 'a quota that is used up',
      fault: errorAnswer(429, 'insufficient_quota'),
      outcome: 'PROVIDER_QUOTA_EXHAUSTED',
      word: 'quota',
    },
    {
      name: 'a credit that is used up',
      fault: errorAnswer(402, null),
      outcome: 'PROVIDER_QUOTA_EXHAUSTED',
      word: 'quota',
    },
  ])('$name suspends the lead for all, and Health says why', async ({ fault, outcome, word }) => {
    const { lead, second, gateway } = await chaosStage();
    second.script(...goodAnswer(true, OTHER));
    lead.script(...fault);
    expect((await askIn(gateway, way)).trail).toEqual([`FIRST lead ${outcome}`, 'FAILOVER second OK']);
    const { status, providers } = await gateway.client.call(LlmService.method.health, {});
    expect(status).toBe(HealthStatus.DEGRADED);
    expect(providers[0]).toMatchObject({ target: 'lead', healthy: false, suspendedReason: word, failures: 0n });
    expect((await askIn(gateway, way)).trail).toEqual([`SKIPPED lead ${outcome}`, 'FIRST second OK']);
    expect(lead.requestCount).toBe(1);
  });

  test('a model that a caller has misspelt suspends nothing for anybody else', async () => {
    const { lead, gateway, leadHealth } = await chaosStage();
    lead.script(...errorAnswer(404, 'model_not_found'));
    const { trail } = await askIn(gateway, way, { model: 'modle-1' });
    expect(trail).toEqual(['FIRST lead MODEL_NOT_FOUND', 'FAILOVER second OK']);
    expect(await leadHealth()).toMatchObject({ healthy: true, suspendedReason: '', failures: 0n });
    lead.script(...ANSWERED);
    expect((await askIn(gateway, way)).trail).toEqual(['FIRST lead OK']);
  });

  test('of five targets four are sick: the fifth answers', REAL_TIME, async () => {
    const upstreams = [
      await chaosUpstream(),
      await chaosUpstream(),
      await chaosUpstream(),
      await chaosUpstream(),
      await chaosUpstream(),
    ];
    const timeouts = { first_output: '200ms' };
    const targets = upstreams.map(({ origin }, index) =>
      chatTarget(`t${index + 1}`, origin, { timeouts, model: `model-${index}` }),
    );
    const gateway = await gatewayFor({ targets });
    const scripts = [[RESET], [UNTIL_GONE], errorAnswer(401, null), LIMITED, goodAnswer(true, OTHER)];
    for (const [index, upstream] of upstreams.entries()) {
      for (let count = 0; count < 2; count += 1) upstream.script(...(scripts[index] ?? []));
    }
    const { trail, delivered, answer } = await askIn(gateway, way);
    expect(trail).toEqual([
      'FIRST t1 PROVIDER_UNAVAILABLE',
      'RETRY t1 PROVIDER_UNAVAILABLE',
      'FAILOVER t2 PROVIDER_TIMEOUT',
      'FAILOVER t3 PROVIDER_AUTH_FAILED',
      'FAILOVER t4 PROVIDER_RATE_LIMITED',
      'RETRY t4 PROVIDER_RATE_LIMITED',
      'FAILOVER t5 OK',
    ]);
    expect([delivered, answer?.target]).toEqual([OTHER, 't5']);
  });

  test('a silent lead leaves the second target its share of a short deadline', REAL_TIME, async () => {
    const { lead, gateway, leadHealth } = await chaosStage();
    lead.script(UNTIL_GONE);
    const { trail, delivered } = await askIn(gateway, way, {}, { deadlineMs: 3_000 });
    expect(trail).toEqual(['FIRST lead DEADLINE', 'FAILOVER second OK']);
    expect(delivered).toBe(OTHER);
    await lead.allClosed();
    // The caller was in a hurry; that is not the fault of the provider (engine rule X1).
    expect((await leadHealth()).failures).toBe(0n);
  });

  test('an end marker is enough: no [DONE] and no end of the connection is waited for', async () => {
    const { lead, gateway } = await chaosStage();
    lead.script(...SAID, chunk(event({}, 'stop')), chunk(usageEvent()), UNTIL_GONE);
    const { trail, delivered, answer } = await askIn(gateway, way);
    expect([trail, delivered]).toEqual([['FIRST lead OK'], WHOLE]);
    expect(answer?.usage).toMatchObject(USAGE);
  });
});

const LISTED_SMALL = [
  { id: 'claude-haiku-4-5', max_input_tokens: 200_000 },
  { id: 'claude-opus-5', max_input_tokens: 1_000_000 },
];

function usageEvent(): string {
  const usage = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 };
  return `data: ${JSON.stringify({ model: 'model-1', choices: [], usage })}\n\n`;
}
