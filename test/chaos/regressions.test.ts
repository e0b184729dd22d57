import { describe, expect, test } from 'vitest';

import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { Recovery } from '../../gen/understudy/v1/routing_pb.ts';
import { CostSource } from '../../gen/understudy/v1/usage_pb.ts';
import { ANSWERED, BEGINNING, BEGUN, chaosStage, OTHER } from '../support/chaos-stage.ts';
import type { ChaosStep, ChaosUpstream } from '../support/chaos-upstream.ts';
import { chunk, lastChunk } from '../support/chaos-upstream.ts';
import { rateLimit } from '../support/early-faults.ts';
import { chaosUpstream, chatTarget, gatewayFor, requestOf } from '../support/failover-stage.ts';
import {
  errorAnswer,
  event,
  goodAnswer,
  ROLE_EVENT,
  STREAM_END,
  STREAM_HEAD,
  textEvent,
} from '../support/openai-bodies.ts';
import { rpcError } from '../support/rpc-error.ts';
import { askIn, WAYS } from '../support/ways.ts';
import { counted } from '../support/stream-text.ts';
import { REAL_TIME } from '../support/real-time.ts';

const UNTIL_GONE: ChaosStep = { do: 'await_close' };
const RESET: ChaosStep = { do: 'reset' };
const PRICES = [{ model: 'model-1', input: '1000', output: '2000' }];
const PERSON = {
  case: 'jsonSchema',
  value: {
    name: 'person',
    schemaJson:
      '{"type":"object","properties":{"name":{"type":"string"}},"required":["name"],"additionalProperties":false}',
    strict: true,
  },
} as const;
const LEAD_ALONE = { routing: { targets: ['lead'] } };

/** An event that says how much of a tool's arguments there is. */
function callEvent(fragment: string, isFirst = false): string {
  const start = isFirst ? { id: 'call_1', type: 'function' } : {};
  const named = isFirst ? { name: 'transfer', arguments: fragment } : { arguments: fragment };
  return event({ tool_calls: [{ index: 0, ...start, function: named }] });
}

async function bodyOf(upstream: ChaosUpstream, index = 0): Promise<object> {
  const body: unknown = JSON.parse((await upstream.request(index)).body);
  return Object(body);
}

// Faults that other gateways had, under the names by which this project knows them.
describe.each(WAYS)('%s', (way) => {
  test('silent-before-headers-fails-over', REAL_TIME, async () => {
    const { lead, gateway } = await chaosStage({ timeouts: { first_output: '200ms' } });
    lead.script(UNTIL_GONE);
    const { trail, delivered } = await askIn(gateway, way);
    expect([trail, delivered]).toEqual([['FIRST lead PROVIDER_TIMEOUT', 'FAILOVER second OK'], OTHER]);
  });

  test('keepalive-never-extends-first-output', REAL_TIME, async () => {
    const { lead, gateway } = await chaosStage({ timeouts: { first_output: '200ms' } });
    lead.script(STREAM_HEAD, { do: 'drip', bytes: 'e\r\n: keep-alive\n\n\r\n', everyMs: 20 });
    const { trail, delivered } = await askIn(gateway, way);
    expect([trail, delivered]).toEqual([['FIRST lead PROVIDER_TIMEOUT', 'FAILOVER second OK'], OTHER]);
  });

  test('error-after-response-created-fails-over', async () => {
    const { lead, gateway } = await chaosStage({ api: 'responses' });
    const created = { type: 'response.created', response: { id: 'resp_1', model: 'model-1', status: 'in_progress' } };
    const failed = {
      type: 'response.failed',
      response: { id: 'resp_1', status: 'failed', error: { code: 'server_error' } },
    };
    const script = [
      STREAM_HEAD,
      chunk(`data: ${JSON.stringify(created)}\n\n`),
      chunk(`data: ${JSON.stringify(failed)}\n\n`),
    ];
    lead.script(...script, lastChunk);
    lead.script(...script, lastChunk);
    const { trail, delivered } = await askIn(gateway, way);
    expect(trail).toEqual(['FIRST lead PROVIDER_UNAVAILABLE', 'RETRY lead PROVIDER_UNAVAILABLE', 'FAILOVER second OK']);
    expect(delivered).toBe(OTHER);
  });

  test('in-stream-429-fails-over', async () => {
    const { lead, gateway, leadHealth } = await chaosStage();
    const error = { message: 'Slow down.', type: 'requests', code: 'rate_limit_exceeded' };
    lead.script(STREAM_HEAD, chunk(ROLE_EVENT), chunk(`data: ${JSON.stringify({ error })}\n\n`), UNTIL_GONE);
    const { trail, delivered } = await askIn(gateway, way);
    expect([trail, delivered]).toEqual([['FIRST lead PROVIDER_RATE_LIMITED', 'FAILOVER second OK'], OTHER]);
    const { rateLimitedFor, failures } = await leadHealth();
    expect([rateLimitedFor === undefined, failures]).toEqual([false, 0n]);
  });

  test('disable-fallback-honoured-mid-stream', async () => {
    const { lead, second, gateway } = await chaosStage();
    lead.script(...BEGUN, RESET);
    lead.script(...ANSWERED);
    const { error, trail } = await askIn(gateway, way, { routing: { disableFallback: true } });
    expect(second.connectionCount).toBe(0);
    if (way === 'StreamChat') expect(error).toMatchObject({ code: 'ABORTED', reason: 'STREAM_INTERRUPTED' });
    else expect(trail.at(-1)).toMatch(/^(?:RETRY|RESTART) lead OK$/);
  });

  test('tools-never-spliced', async () => {
    const [lead, other] = [await chaosUpstream(), await chaosUpstream()];
    const targets = [chatTarget('lead', lead.origin), chatTarget('other', other.origin, { model: 'model-2' })];
    const gateway = await gatewayFor({ targets });
    lead.script(STREAM_HEAD, chunk(callEvent('{"to": "A', true)), chunk(callEvent('lice", "am')), RESET);
    const whole = ['{"to"', ': "Bob", ', '"amount": 2}'];
    const [first = '', ...rest] = whole;
    other.script(
      STREAM_HEAD,
      chunk(callEvent(first, true)),
      ...rest.map((piece) => chunk(callEvent(piece))),
      chunk(STREAM_END),
      lastChunk,
    );
    const { answer, error, events } = await askIn(gateway, way);
    if (way === 'StreamChat') {
      expect(error).toMatchObject({ code: 'ABORTED', reason: 'STREAM_INTERRUPTED' });
      return;
    }
    if (way === 'Chat') {
      const parts = answer !== undefined && 'message' in answer ? (answer.message?.content ?? []) : [];
      expect(parts.map(({ part }) => part)).toMatchObject([
        { case: 'toolCall', value: { argumentsJson: whole.join('') } },
      ]);
      return;
    }
    const fragments = counted(events).map(({ event: { case: name, value } }) =>
      name === 'toolCallDelta' ? value.argumentsFragment : '',
    );
    expect(fragments.join('')).toBe(whole.join(''));
  });

  test('schema-never-spliced', async () => {
    const [lead, other] = [await chaosUpstream(), await chaosUpstream()];
    const targets = [chatTarget('lead', lead.origin), chatTarget('other', other.origin, { model: 'model-2' })];
    const gateway = await gatewayFor({ targets });
    lead.script(STREAM_HEAD, chunk(textEvent('{"name": "Al')), RESET);
    other.script(STREAM_HEAD, chunk(textEvent('{"name": ')), chunk(textEvent('"Bob"}')), chunk(STREAM_END), lastChunk);
    const { text, error, trail } = await askIn(gateway, way, { options: { responseFormat: { format: PERSON } } });
    const asked = { response_format: { type: 'json_schema', json_schema: { name: 'person', strict: true } } };
    const request = await bodyOf(lead);
    expect(request).toMatchObject(asked);
    if (way === 'StreamChat') {
      expect(error).toMatchObject({ code: 'ABORTED', reason: 'STREAM_INTERRUPTED' });
      return;
    }
    expect(text).toBe('{"name": "Bob"}');
    expect(trail).toHaveLength(2);
    expect(await bodyOf(other)).toEqual({ ...request, model: 'model-2' });
  });

  test('no-prompt-of-ours-injected', async () => {
    const { lead, second, gateway } = await chaosStage();
    lead.script(...BEGUN, RESET);
    await askIn(gateway, way);
    if (way === 'StreamChat') return;
    expect({ ...(await bodyOf(second)), model: 'model-1' }).toEqual(await bodyOf(lead));
  });

  test('prefill-never-sent', async () => {
    const [lead, other] = [await chaosUpstream(), await chaosUpstream()];
    const claude = { provider: 'anthropic', base_url: other.origin, model: 'claude-sonnet-5-5' } as const;
    const gateway = await gatewayFor({
      targets: [chatTarget('lead', lead.origin), chatTarget('claude', other.origin, claude)],
    });
    lead.script(...BEGUN, RESET);
    await askIn(gateway, way);
    if (way === 'StreamChat') return;
    const sent = await bodyOf(other);
    expect(JSON.stringify(sent)).not.toContain(BEGINNING.slice(0, 6));
    const messages: unknown = Reflect.get(sent, 'messages');
    expect(Array.isArray(messages) && messages.map((message) => Reflect.get(Object(message), 'role'))).toEqual([
      'user',
    ]);
  });

  test('one-malformed-event-is-explicit', async () => {
    const { lead, gateway } = await chaosStage();
    lead.script(
      ...BEGUN,
      chunk('data: {"choices"\n\n'),
      chunk(textEvent('as if nothing had been lost')),
      chunk(STREAM_END),
      lastChunk,
    );
    const { error, text, delivered } = await askIn(gateway, way);
    if (way === 'StreamChat')
      expect([error?.code, error?.reason, delivered]).toEqual(['ABORTED', 'STREAM_INTERRUPTED', BEGINNING]);
    else expect(text).toBe(OTHER);
  });

  test('partial-usage-recorded-once', async () => {
    const { lead, gateway, leadHealth } = await chaosStage({ prices: PRICES });
    const usage = { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 };
    lead.script(...BEGUN, chunk(`data: ${JSON.stringify({ choices: [], usage })}\n\n`), RESET);
    const { attempts } = await askIn(gateway, way);
    const told = attempts.filter(({ target }) => target === 'lead');
    expect(told).toHaveLength(1);
    const { costNanoUsd } = await leadHealth();
    expect(costNanoUsd).toBe(told[0]?.cost?.nanoUsd);
    // At least what was counted: 9 tokens at 1,000 and 2 at 2,000 USD per million.
    expect(costNanoUsd).toBeGreaterThanOrEqual(13_000_000n);
  });

  test('cut-before-usage-is-charged', async () => {
    const { lead, gateway, leadHealth } = await chaosStage({ prices: PRICES });
    lead.script(...BEGUN, RESET);
    const { attempts } = await askIn(gateway, way);
    expect(attempts[0]?.cost?.source).toBe(CostSource.ESTIMATED);
    expect(attempts[0]?.cost?.nanoUsd).toBeGreaterThan(0n);
    expect((await leadHealth()).costNanoUsd).toBe(attempts[0]?.cost?.nanoUsd);
  });

  test('empty-retry-not-double', async () => {
    const { lead, second, gateway, leadHealth } = await chaosStage({ prices: PRICES });
    lead.script(STREAM_HEAD, chunk(ROLE_EVENT), chunk(STREAM_END), lastChunk);
    const { trail, delivered, answer } = await askIn(gateway, way);
    expect([trail, delivered]).toEqual([['FIRST lead OK'], '']);
    expect([lead.requestCount, second.connectionCount]).toEqual([1, 0]);
    expect(answer?.cost).toMatchObject({ nanoUsd: 15_000_000n, source: CostSource.EXACT });
    expect(await leadHealth()).toMatchObject({ tokensUsed: 12n, costNanoUsd: 15_000_000n });
  });

  test('sdk-retry-after-unbounded', async () => {
    const { lead, gateway } = await chaosStage();
    lead.script(...rateLimit({ 'retry-after': '86400' }));
    const { error, trail } = await askIn(gateway, way, LEAD_ALONE);
    expect(error).toMatchObject({ code: 'RESOURCE_EXHAUSTED', reason: 'ALL_PROVIDERS_FAILED', pushback: '-1' });
    expect(error?.retryDelayMs).toBeLessThanOrEqual(3_600_000);
    expect([trail, lead.requestCount]).toEqual([['FIRST lead PROVIDER_RATE_LIMITED'], 1]);
  });
});

describe('an answer that breaks off more than once', () => {
  test.each([
    { name: 'a second break', fault: [STREAM_HEAD, chunk(textEvent('Now is the winter ')), RESET], discards: [2, 4] },
    { name: 'a 401', fault: errorAnswer(401, null), discards: [2] },
    { name: 'a malformed first event', fault: [STREAM_HEAD, chunk('data: {\n\n'), UNTIL_GONE], discards: [2] },
  ])('is whole in the end with RESTART and in a unary call ($name)', async ({ fault, discards }) => {
    for (const way of ['Chat', 'StreamChat with RESTART'] as const) {
      const [lead, second, third] = [await chaosUpstream(), await chaosUpstream(), await chaosUpstream()];
      const targets = [lead, second, third].map(({ origin }, index) =>
        chatTarget(`t${index + 1}`, origin, { model: `model-${index + 1}` }),
      );
      const gateway = await gatewayFor({ targets });
      // In one packet, so that the words are one event for the caller.
      lead.script(STREAM_HEAD, chunk(textEvent(BEGINNING)), RESET);
      second.script(...fault);
      third.script(...goodAnswer(true, OTHER));
      const { text, answer, events } = await askIn(gateway, way);
      expect([text, answer?.target]).toEqual([OTHER, 't3']);
      expect([lead.requestCount, second.requestCount, third.requestCount]).toEqual([1, 1, 1]);
      const told = events.flatMap(({ event: { case: name, value } }) =>
        name === 'restarted' ? [Number(value.discardFromSequence)] : [],
      );
      expect(told).toEqual(way === 'Chat' ? [] : discards);
    }
  });
});

describe('a caller that cancels', () => {
  test('cancel-during-ttft-closes-upstream', async () => {
    const { lead, second, gateway, leadHealth } = await chaosStage();
    lead.script(STREAM_HEAD, chunk(ROLE_EVENT), UNTIL_GONE);
    const stream = gateway.client.stream(LlmService.method.streamChat, { ...requestOf(), recovery: Recovery.RESTART });
    await lead.request(0);
    stream.cancel();
    expect(await rpcError(stream.done)).toMatchObject({ code: 'CANCELLED' });
    await lead.allClosed();
    expect([lead.requestCount, second.connectionCount]).toEqual([1, 0]);
    expect((await leadHealth()).failures).toBe(0n);
  });

  test('cancel-unary-closes-upstream', async () => {
    const { lead, second, gateway, leadHealth } = await chaosStage();
    lead.script(...BEGUN, UNTIL_GONE);
    const abort = new AbortController();
    const asked = rpcError(gateway.client.call(LlmService.method.chat, requestOf(), { signal: abort.signal }));
    await lead.request(0);
    abort.abort();
    expect(await asked).toMatchObject({ code: 'CANCELLED' });
    await lead.allClosed();
    expect([lead.requestCount, second.connectionCount]).toEqual([1, 0]);
    expect((await leadHealth()).failures).toBe(0n);
  });
});
