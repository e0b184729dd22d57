import { describe, expect, it } from 'vitest';
import { ReasoningEffort } from '../../../gen/understudy/v1/chat_pb.ts';
import { WarningCode } from '../../../gen/understudy/v1/routing_pb.ts';
import { anthropic } from '../../../src/providers/anthropic/messages-api.ts';
import { chatOf, wire } from '../../support/chat-samples.ts';

function asked(reasoningEffort: ReasoningEffort, model: string, maxTokens?: number) {
  const target = { name: 'claude', provider: 'anthropic', model, stream: true } as const;
  return wire(anthropic.request(chatOf({ reasoningEffort, maxTokens }), target));
}

describe('reasoning effort at Claude models', () => {
  it('sends nothing where nothing is asked', () => {
    const { body } = asked(ReasoningEffort.UNSPECIFIED, 'claude-opus-5-5');
    expect(body).not.toHaveProperty('thinking');
    expect(body).not.toHaveProperty('output_config');
  });

  it.each([
    ['claude-fable-5-2', ReasoningEffort.MAX, 'max', 0],
    ['claude-opus-5-5', ReasoningEffort.XHIGH, 'xhigh', 0],
    ['claude-opus-4-6', ReasoningEffort.XHIGH, 'high', 1],
    ['claude-opus-4-6', ReasoningEffort.MAX, 'max', 0],
    ['claude-haiku-5-5', ReasoningEffort.MINIMAL, 'low', 1],
    ['claude-future-9', ReasoningEffort.MEDIUM, 'medium', 0],
  ])('asks %s for its text and for the nearest effort that is not higher', (model, effort, sent, warningCount) => {
    const { body, warnings } = asked(effort, model);
    expect(body['thinking']).toEqual({ type: 'adaptive', display: 'summarized' });
    expect(body['output_config']).toEqual({ effort: sent });
    expect(warnings.map(({ field }) => field)).toEqual(Array(warningCount).fill('options.reasoning_effort'));
  });

  it.each([
    ['claude-sonnet-5-5', { thinking: { type: 'between_tools' } }],
    ['claude-sonnet-5', { thinking: { type: 'disabled' } }],
    ['claude-haiku-5-5', { thinking: { type: 'disabled' } }],
    ['claude-haiku-4-5-20251001', { thinking: { type: 'disabled' } }],
  ])('turns thinking off at %s', (model, fields) => {
    const { body, warnings } = asked(ReasoningEffort.NONE, model);
    expect(body).toMatchObject(fields);
    expect(body).not.toHaveProperty('output_config');
    expect(warnings).toEqual([]);
  });

  it.each(['claude-opus-5-5', 'claude-fable-5-1', 'claude-future-9'])(
    'asks %s, which always thinks, for the least, with a warning',
    (model) => {
      const { body, warnings } = asked(ReasoningEffort.NONE, model);
      expect(body['output_config']).toEqual({ effort: 'low' });
      expect(body).not.toHaveProperty('thinking');
      expect(warnings).toMatchObject([{ code: WarningCode.PARAMETER_ADJUSTED, field: 'options.reasoning_effort' }]);
    },
  );

  it('gives older models a budget that leaves room for the answer', () => {
    const budget = (effort: ReasoningEffort, maxTokens?: number) => {
      const { body, warnings } = asked(effort, 'claude-haiku-4-5', maxTokens);
      return [body['thinking'], warnings.map(({ code }) => code)];
    };
    const enabled = (tokens: number) => ({ type: 'enabled', budget_tokens: tokens, display: 'summarized' });
    expect(budget(ReasoningEffort.MINIMAL)).toEqual([enabled(1_024), []]);
    expect(budget(ReasoningEffort.MEDIUM)).toEqual([enabled(8_192), []]);
    expect(budget(ReasoningEffort.MEDIUM, 4_000)).toEqual([enabled(2_000), [WarningCode.PARAMETER_ADJUSTED]]);
    expect(budget(ReasoningEffort.LOW, 1_025)).toEqual([enabled(1_024), [WarningCode.PARAMETER_ADJUSTED]]);
    expect(budget(ReasoningEffort.LOW, 1_024)).toEqual([undefined, [WarningCode.PARAMETER_DROPPED]]);
  });
});
