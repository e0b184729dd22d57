import { describe, expect, it } from 'vitest';
import { ReasoningEffort } from '../../gen/understudy/v1/chat_pb.ts';
import { WarningCode } from '../../gen/understudy/v1/routing_pb.ts';
import { deepseek } from '../../src/providers/deepseek.ts';
import { chatOf, wire } from '../support/chat-samples.ts';

function deepseekBody(model: string, options: Parameters<typeof chatOf>[0]) {
  return wire(deepseek.request(chatOf(options), { name: 'main', provider: 'deepseek', model, stream: false }));
}

function dropped(...fields: readonly string[]) {
  return fields.map((field) => expect.objectContaining({ code: WarningCode.PARAMETER_DROPPED, field }));
}

describe('a request to DeepSeek', () => {
  it('uses its names for limit and end user', () => {
    const request = deepseekBody('deepseek-chat', {
      maxTokens: 5,
      temperature: 1,
      endUser: 'u',
      stop: ['END'],
      seed: 1n,
    });
    expect(request.body).toMatchObject({ max_tokens: 5, temperature: 1, user_id: 'u', stop: ['END'] });
    expect(request.warnings).toEqual(dropped('options.seed'));
  });

  it('leaves out, with a warning, what a thinking model would ignore', () => {
    const sampling = { temperature: 1, presencePenalty: 1, frequencyPenalty: 1, topP: 0.5 };
    expect(deepseekBody('deepseek-flash', sampling)).toMatchObject({
      body: { top_p: 0.5 },
      warnings: dropped('options.temperature', 'options.presence_penalty', 'options.frequency_penalty'),
    });
    const silent = deepseekBody('deepseek-flash', { ...sampling, reasoningEffort: ReasoningEffort.NONE });
    expect(silent.body).toMatchObject({ thinking: { type: 'disabled' }, temperature: 1, presence_penalty: 1 });
    expect(silent.warnings).toEqual([]);
  });

  it.each([
    [ReasoningEffort.MINIMAL, 'low', true],
    [ReasoningEffort.LOW, 'low', false],
    [ReasoningEffort.MEDIUM, 'high', true],
    [ReasoningEffort.HIGH, 'high', false],
    [ReasoningEffort.XHIGH, 'high', true],
    [ReasoningEffort.MAX, 'max', false],
  ])('thinks at effort %i as %s', (asked, effort, isAdjusted) => {
    const request = deepseekBody('deepseek-flash', { reasoningEffort: asked });
    expect(request.body).toMatchObject({ thinking: { type: 'enabled' }, reasoning_effort: effort });
    expect(request.warnings.map(({ code }) => code)).toEqual(isAdjusted ? [WarningCode.PARAMETER_ADJUSTED] : []);
  });
});
