import { describe, expect, test } from 'vitest';

import { WarningCode } from '../../gen/understudy/v1/routing_pb.ts';
import { CostSource, UsageSource } from '../../gen/understudy/v1/usage_pb.ts';
import type { ChaosStep } from '../support/chaos-upstream.ts';
import { chunk, lastChunk, respond } from '../support/chaos-upstream.ts';
import type { AnswerFields, Method } from '../support/failover-stage.ts';
import { stage } from '../support/failover-stage.ts';
import { STREAM_HEAD } from '../support/openai-bodies.ts';

/** A dollar for a million tokens of input, a tenth for cached ones, ten for output. */
const PRICES = [{ model: 'priced', input: '1', cached_input: '0.1', output: '10' }];

/** What the target is asked for, what the answer names, and what is configured. */
interface Asked {
  readonly model?: string;
  readonly served?: string;
  readonly prices?: typeof PRICES;
}

/** Seven tokens, as bytes go. */
const TEXT = 'Nobody counts this here.';

/** What a server answers in Chat Completions: `more` stands beside the text, in the last chunk of a stream. */
function answered(method: Method, model: string, more: object): readonly ChaosStep[] {
  const common = { id: 'c', created: 1, model };
  if (method === 'Chat') {
    const choice = { index: 0, message: { role: 'assistant', content: TEXT }, finish_reason: 'stop' };
    return [respond(200, 'application/json', JSON.stringify({ ...common, choices: [choice], ...more }))];
  }
  const event = (delta: object, reason: string | null, beside: object) =>
    `data: ${JSON.stringify({ ...common, choices: [{ index: 0, delta, finish_reason: reason }], ...beside })}\n\n`;
  const events = event({ content: TEXT }, null, {}) + event({}, 'stop', more);
  return [STREAM_HEAD, chunk(`${events}data: [DONE]\n\n`), lastChunk];
}

describe.each<Method>(['Chat', 'StreamChat'])('%s: what another server says of its answer', (method) => {
  const told = async (more: object, asked: Asked = {}): Promise<AnswerFields> => {
    const { model = 'priced', served = model, prices = PRICES } = asked;
    const { lead, ask } = await stage({ lead: { model, prices } });
    lead.script(...answered(method, served, more));
    return ask(method, { options: { maxTokens: 100 } });
  };

  test('reasoning that stands beside the output is a part of it, and is paid', async () => {
    const usage = {
      prompt_tokens: 1_000,
      completion_tokens: 20,
      total_tokens: 1_320,
      prompt_tokens_details: { cached_tokens: 400 },
      completion_tokens_details: { reasoning_tokens: 300 },
    };
    const { usage: counted, cost } = await told({ usage });
    expect(counted).toMatchObject({ inputTokens: 1_000, outputTokens: 320, reasoningTokens: 300, totalTokens: 1_320 });
    expect(counted?.source).toBe(UsageSource.REPORTED);
    // 600 x 1,000 + 400 x 100 + 320 x 10,000
    expect(cost).toMatchObject({ nanoUsd: 3_840_000n, source: CostSource.EXACT });
  });

  test.each([
    ['all', { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }, undefined],
    ['input', { prompt_tokens: 0, completion_tokens: 9, total_tokens: 9 }, 9],
  ])('zeros for %s of a real answer are estimated, and marked so', async (_, usage, output) => {
    const { usage: counted, cost, tokensUsed, attempts } = await told({ usage });
    expect(counted?.source).toBe(UsageSource.ESTIMATED);
    expect(counted?.inputTokens).toBeGreaterThan(0);
    expect(counted?.outputTokens).toBeGreaterThanOrEqual(output ?? 7);
    expect(counted?.outputTokens).toBeLessThanOrEqual(output ?? 8);
    const [inputTokens, outputTokens] = [counted?.inputTokens ?? 0, counted?.outputTokens ?? 0];
    expect(counted?.totalTokens).toBe(inputTokens + outputTokens);
    expect(attempts.at(-1)?.usage).toEqual(counted);
    expect(tokensUsed).toBeUndefined();
    const nanoUsd = BigInt(inputTokens) * 1_000n + BigInt(outputTokens) * 10_000n;
    expect(cost).toMatchObject({ nanoUsd, source: CostSource.ESTIMATED });
  });

  test.each([
    ['text', { prompt_tokens: '12', completion_tokens: 5, total_tokens: 17 }],
    ['a fraction', { prompt_tokens: 12.5, completion_tokens: 5 }],
    ['a negative count', { prompt_tokens: 12, completion_tokens: -5 }],
    ['more than can be', { prompt_tokens: 2 ** 53 + 2, completion_tokens: 5 }],
    [
      'cached tokens that are none',
      { prompt_tokens: 12, completion_tokens: 5, prompt_tokens_details: { cached_tokens: '8' } },
    ],
  ])('%s for a count makes no exact cost', async (_, usage) => {
    const { cost } = await told({ usage });
    expect(cost?.source).toBe(CostSource.ESTIMATED);
    expect(cost?.nanoUsd).toBeGreaterThan(0n);
  });

  test('the service tier that was served is returned, and no configured price is exact for another than the usual', async () => {
    const usage = { prompt_tokens: 10, completion_tokens: 1, total_tokens: 11 };
    const usual = await told({ usage, service_tier: 'default' });
    expect(usual.usage?.serviceTier).toBe('default');
    expect(usual.cost).toMatchObject({ nanoUsd: 20_000n, source: CostSource.EXACT });
    const flex = await told({ usage, service_tier: 'flex' });
    expect([flex.usage?.serviceTier, flex.attempts.at(-1)?.usage?.serviceTier]).toEqual(['flex', 'flex']);
    expect(flex.cost).toMatchObject({ nanoUsd: 20_000n, source: CostSource.ESTIMATED });
    expect((await told({ usage })).usage?.serviceTier).toBe('');
  });

  test('a well-known name is no price there, and the answer says that another model has answered', async () => {
    const usage = { prompt_tokens: 10, completion_tokens: 1, total_tokens: 11 };
    const answer = await told({ usage }, { model: 'gpt-4o', served: 'tiny.gguf', prices: [] });
    expect([answer.cost?.nanoUsd, answer.cost?.source]).toEqual([undefined, CostSource.UNKNOWN]);
    expect(answer.costUsd).toBeUndefined();
    expect(answer.model).toBe('tiny.gguf');
    expect(answer.warnings).toMatchObject([{ code: WarningCode.MODEL_SUBSTITUTED, field: 'model', target: 'lead' }]);
    const same = await told({ usage }, { model: 'gpt-4o', served: 'openai/gpt-4o-2024-08-06', prices: [] });
    expect([same.cost?.source, same.warnings]).toEqual([CostSource.UNKNOWN, []]);
    const own = await told({ usage }, { served: 'tiny.gguf' });
    expect(own.warnings).toEqual([]);
  });
});
