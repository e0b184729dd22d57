import { describe, expect, it } from 'vitest';

import { ReasoningEffort } from '../../../gen/understudy/v1/chat_pb.ts';
import { CHAT_OPTIONS } from '../../../src/providers/openai/chat-completions/completion-options.ts';
import { readSettings } from '../../../src/providers/shared/asked-tools.ts';
import type { GenerationSettings } from '../../../src/providers/shared/asked-tools.ts';
import { seedAs, stopAs } from '../../../src/providers/shared/option-rules.ts';
import type { OptionTable } from '../../../src/providers/shared/option-table.ts';
import { translateOptions } from '../../../src/providers/shared/option-table.ts';
import type { ChatExtras } from '../../support/chat-parts.ts';
import { requestOf, tool, user } from '../../support/chat-parts.ts';

const TABLE: OptionTable<GenerationSettings> = {
  ...CHAT_OPTIONS,
  temperature: { sentAs: 'heat', within: 'sampling' },
  topP: { sentAs: 'share', within: 'sampling' },
  maxTokens: { sentAs: 'limit' },
  stop: stopAs('stop', 1),
  seed: seedAs('seed'),
  presencePenalty: 'dropped',
  frequencyPenalty: (value) => (value === 1 ? 'dropped' : { sentAs: 'penalty' }),
  reasoningEffort: { sentAs: 'effort' },
  responseFormat: 'dropped',
  parallelToolCalls: { sentAs: 'parallel' },
  endUser: 'dropped',
  promptCacheKey: 'dropped',
};

function translated(options: NonNullable<ChatExtras['options']>, tools: ChatExtras['tools'] = []) {
  const settings = readSettings(requestOf([user('Hi')], { options, tools }), {});
  if ('failure' in settings) throw new Error(settings.failure.message);
  const { fields, warnings, localStop } = translateOptions(TABLE, settings);
  return { fields, dropped: warnings.map(({ field }) => field), localStop };
}

describe('a table of options', () => {
  it('sends what is set, zero too, and joins the objects that several options write into', () => {
    expect(translated({ temperature: 0, topP: 0.5, maxTokens: 3, reasoningEffort: ReasoningEffort.LOW })).toEqual({
      fields: { sampling: { heat: 0, share: 0.5 }, limit: 3, effort: 'low' },
      dropped: [],
      localStop: [],
    });
  });

  it('names what is dropped, in the contract’s words, and only what is set', () => {
    const format = { responseFormat: { format: { case: 'jsonObject' as const, value: {} } } };
    expect(translated({ presencePenalty: 0, endUser: 'u', ...format }).dropped.toSorted()).toEqual([
      'options.end_user',
      'options.presence_penalty',
      'options.response_format',
    ]);
    const unset = { endUser: '', stop: [], reasoningEffort: ReasoningEffort.UNSPECIFIED };
    expect(translated(unset)).toEqual({ fields: {}, dropped: [], localStop: [] });
  });

  it('asks a rule by what the option says', () => {
    expect(translated({ frequencyPenalty: 1 }).dropped).toEqual(['options.frequency_penalty']);
    expect(translated({ frequencyPenalty: 2 }).fields).toEqual({ penalty: 2 });
    expect(translated({ seed: 2n ** 60n }).dropped).toEqual(['options.seed']);
    expect(translated({ seed: 0n }).fields).toEqual({ seed: 0 });
  });

  it('keeps the stop texts that the provider does not look for', () => {
    expect(translated({ stop: ['a', 'b'] })).toEqual({ fields: { stop: ['a'] }, dropped: [], localStop: ['b'] });
  });

  it('sends a word on parallel calls only beside tools', () => {
    expect(translated({ parallelToolCalls: false }).dropped).toEqual(['options.parallel_tool_calls']);
    expect(translated({ parallelToolCalls: false }, [tool('a')]).fields).toEqual({ parallel: false });
  });
});
