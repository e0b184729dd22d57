import { describe, expect, test } from 'vitest';

import { UsageSource } from '../../gen/understudy/v1/usage_pb.ts';
import { Recovery, WarningCode } from '../../gen/understudy/v1/routing_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import type { ChaosUpstream } from '../support/chaos-upstream.ts';
import type { FailoverStage } from '../support/failover-stage.ts';
import { chaosUpstream, chatTarget, requestOf, stage } from '../support/failover-stage.ts';
import { textOf } from '../support/stream-text.ts';
import { completion, errorAnswer, goodAnswer } from '../support/openai-bodies.ts';
import { respond } from '../support/chaos-upstream.ts';
import { rpcError, trailOf } from '../support/rpc-error.ts';

const SCHEMA = '{"type":"object","properties":{"age":{"type":"integer","minimum":0}},"required":["age"]}';
const GOOD = '{"age": 7}';
const BAD = '{"age": -7}';

/** A gateway whose lead is DeepSeek, which has a JSON mode and no schemas, with nobody behind it; it answers as `model-1`. */
function deepseekStage(): Promise<FailoverStage> {
  const prices = [{ model: 'deepseek-flash', input: '0.15', output: '0.60' }];
  return stage({ lead: { provider: 'deepseek', model: 'deepseek-flash', prices }, others: [] });
}

/** Asks for JSON of the schema, with at most so many tokens: up to 256 the provider is asked for a whole answer. */
function requestFor(wish: { readonly strict?: boolean; readonly repair?: boolean }, maxTokens = 100) {
  const value = { name: 'person', schemaJson: SCHEMA, ...wish };
  const options = { maxTokens, responseFormat: { format: { case: 'jsonSchema', value } } } as const;
  return requestOf({ text: 'Describe the person as JSON.', options });
}

async function bodyOf(upstream: ChaosUpstream, index: number): Promise<Record<string, unknown>> {
  return JSON.parse((await upstream.request(index)).body) as Record<string, unknown>;
}

describe('an answer in JSON of a schema, from a provider that has JSON alone', () => {
  test.each([100, 1000])('that matches is returned, and the caller told who checked it (%i tokens)', async (tokens) => {
    const { lead, gateway } = await deepseekStage();
    lead.script(...goodAnswer(tokens > 256, GOOD));
    const answer = await gateway.client.call(LlmService.method.chat, requestFor({ strict: true }, tokens));
    expect(answer.text).toBe(GOOD);
    expect(answer.warnings.map(({ code, field }) => [code, field])).toEqual([
      [WarningCode.MODEL_SUBSTITUTED, 'model'],
      [WarningCode.PARAMETER_ADJUSTED, 'options.response_format'],
    ]);
    expect(await bodyOf(lead, 0)).toMatchObject({ response_format: { type: 'json_object' } });
  });

  test('that does not match is returned with a warning, and asked for once, where nobody wants a repair', async () => {
    const { lead, gateway } = await deepseekStage();
    lead.script(...goodAnswer(false, BAD));
    const answer = await gateway.client.call(LlmService.method.chat, requestFor({}));
    expect(answer.text).toBe(BAD);
    const warning = answer.warnings.find(({ code }) => code === WarningCode.SCHEMA_MISMATCH);
    expect(warning).toMatchObject({ field: 'options.response_format', target: 'lead' });
    expect(warning?.message).toContain('must be >= 0 at /age');
    expect(trailOf(answer.attempts)).toEqual(['FIRST lead OK']);
    expect(lead.requestCount).toBe(1);
  });

  test.each([100, 1000])(
    'is mended once where the caller wants it, each attempt at its own cost (%i tokens)',
    async (tokens) => {
      const { lead, gateway } = await deepseekStage();
      lead.script(...goodAnswer(tokens > 256, BAD));
      lead.script(...goodAnswer(tokens > 256, GOOD));
      const answer = await gateway.client.call(LlmService.method.chat, requestFor({ repair: true }, tokens));
      expect(answer.text).toBe(GOOD);
      expect(answer.warnings.some(({ code }) => code === WarningCode.SCHEMA_MISMATCH)).toBe(false);
      expect(trailOf(answer.attempts)).toEqual(['FIRST lead SCHEMA_MISMATCH', 'REPAIR lead OK']);
      const costs = answer.attempts.map(({ cost }) => cost);
      expect(answer.attempts.map(({ usage }) => usage?.totalTokens)).toEqual([12, 12]);
      expect(answer.attempts.map(({ usage }) => usage?.source)).toEqual([UsageSource.REPORTED, UsageSource.REPORTED]);
      expect(costs.every((cost) => (cost?.nanoUsd ?? 0n) > 0n)).toBe(true);
      expect(answer.cost?.nanoUsd).toBe((costs[0]?.nanoUsd ?? 0n) + (costs[1]?.nanoUsd ?? 0n));
      const { messages } = await bodyOf(lead, 1);
      expect(messages).toMatchObject([
        { role: 'user', content: 'Describe the person as JSON.' },
        { role: 'assistant', content: BAD },
        {
          role: 'user',
          content:
            'Your answer does not match the JSON Schema below: must be >= 0 at /age. ' +
            `Write the whole answer again as JSON that matches it, and nothing else.\n\n${SCHEMA}`,
        },
      ]);
    },
  );

  test('that cannot be mended comes with a warning, or as an error where the caller is strict', async () => {
    const { lead, gateway } = await deepseekStage();
    lead.script(...goodAnswer(false, BAD));
    lead.script(...errorAnswer(500, null));
    const answer = await gateway.client.call(LlmService.method.chat, requestFor({ repair: true }));
    expect(answer.text).toBe(BAD);
    expect(answer.warnings.map(({ code }) => code)).toContain(WarningCode.SCHEMA_MISMATCH);
    expect(trailOf(answer.attempts)).toEqual(['FIRST lead SCHEMA_MISMATCH', 'REPAIR lead PROVIDER_UNAVAILABLE']);
    lead.script(...goodAnswer(false, BAD));
    lead.script(...goodAnswer(false, 'no JSON'));
    const error = await rpcError(
      gateway.client.call(LlmService.method.chat, requestFor({ repair: true, strict: true })),
    );
    expect(error).toMatchObject({ code: 'ABORTED', reason: 'SCHEMA_MISMATCH', pushback: '-1' });
    expect(trailOf(error.trail)).toEqual(['FIRST lead SCHEMA_MISMATCH', 'REPAIR lead SCHEMA_MISMATCH']);
    expect(error.everything).not.toContain('age');
  });

  test('that is cut off by the limit of tokens is no mismatch', async () => {
    const { lead, gateway } = await deepseekStage();
    lead.script(respond(200, 'application/json', completion('{"age":').replace('"stop"', '"length"')));
    const answer = await gateway.client.call(LlmService.method.chat, requestFor({ strict: true, repair: true }));
    expect(answer.text).toBe('{"age":');
    expect(lead.requestCount).toBe(1);
  });
});

describe('a strict request', () => {
  test('goes on to the next target where an answer does not match', async () => {
    const second = await chaosUpstream();
    const { lead, gateway } = await stage({
      lead: { provider: 'deepseek', model: 'deepseek-flash' },
      others: [chatTarget('second', second.origin)],
    });
    lead.script(...goodAnswer(false, BAD));
    second.script(...goodAnswer(false, GOOD));
    const answer = await gateway.client.call(LlmService.method.chat, requestFor({ strict: true }));
    expect(answer).toMatchObject({ text: GOOD, target: 'second', warnings: [] });
    expect(trailOf(answer.attempts)).toEqual(['FIRST lead SCHEMA_MISMATCH', 'FAILOVER second OK']);
    expect(await bodyOf(second, 0)).toMatchObject({ response_format: { type: 'json_schema' } });
  });
});

describe('a stream', () => {
  const stream = async (
    { gateway }: FailoverStage,
    recovery: Recovery,
    wish: { readonly repair?: boolean; readonly strict?: boolean },
  ) => gateway.client.stream(LlmService.method.streamChat, { ...requestFor(wish), recovery }).done;

  test('that does not match ends with a warning, or ABORTED where the caller is strict', async () => {
    const made = await deepseekStage();
    made.lead.script(...goodAnswer(true, BAD));
    const events = await stream(made, Recovery.FAIL, { repair: true });
    const last = events.at(-1)?.event;
    expect(last?.case === 'finished' && last.value.warnings.map(({ code }) => code)).toContain(
      WarningCode.SCHEMA_MISMATCH,
    );
    made.lead.script(...goodAnswer(true, BAD));
    const error = await rpcError(stream(made, Recovery.FAIL, { strict: true }));
    expect(error).toMatchObject({ code: 'ABORTED', reason: 'SCHEMA_MISMATCH' });
    expect(made.lead.requestCount).toBe(2);
  });

  test('is mended by beginning anew, where the caller wants both', async () => {
    const made = await deepseekStage();
    made.lead.script(...goodAnswer(true, BAD));
    made.lead.script(...goodAnswer(true, GOOD));
    const events = await stream(made, Recovery.RESTART, { repair: true });
    const restarted = events.findIndex(({ event }) => event.case === 'restarted');
    expect(textOf(events.slice(0, restarted))).toBe(BAD);
    expect(textOf(events.slice(restarted))).toBe(GOOD);
  });
});
