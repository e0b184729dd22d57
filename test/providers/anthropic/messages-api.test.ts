import { describe, expect, it } from 'vitest';
import { ReasoningEffort, Role } from '../../../gen/understudy/v1/chat_pb.ts';
import { WarningCode } from '../../../gen/understudy/v1/routing_pb.ts';
import type { AdapterTarget } from '../../../src/providers/port/adapter.ts';
import { anthropic } from '../../../src/providers/anthropic/messages-api.ts';
import { chatOf, say, textPart, wire } from '../../support/chat-samples.ts';

const TARGET: AdapterTarget = { name: 'claude', provider: 'anthropic', model: 'claude-sonnet-5-5', stream: true };

function target(model: string, stream = true): AdapterTarget {
  return { ...TARGET, model, stream };
}

describe('request to the Messages API', () => {
  it('puts leading system messages at the top and merges neighbours of the same role', () => {
    const chat = chatOf({}, [
      say(Role.SYSTEM, 'Be kind.'),
      say(Role.SYSTEM, 'Be brief.'),
      say(Role.USER, 'One', 'Two'),
      say(Role.USER, 'Three'),
      say(Role.ASSISTANT, 'Four'),
      say(Role.USER, 'Five', ''),
    ]);
    expect(wire(anthropic.request(chat, TARGET))).toEqual({
      path: '/v1/messages',
      body: {
        model: 'claude-sonnet-5-5',
        stream: true,
        max_tokens: 32_000,
        system: [textPart('Be kind.'), textPart('Be brief.')],
        messages: [
          { role: 'user', content: [textPart('One'), textPart('Two'), textPart('Three')] },
          { role: 'assistant', content: [textPart('Four')] },
          { role: 'user', content: [textPart('Five')] },
        ],
      },
      warnings: [],
      localStop: [],
    });
  });

  it('places later instructions behind the turn of the user that they concern', () => {
    const chat = chatOf({}, [
      say(Role.USER, 'One'),
      say(Role.SYSTEM, 'Be kind.'),
      say(Role.ASSISTANT, 'Two'),
      say(Role.SYSTEM, 'Be brief.'),
      say(Role.SYSTEM, 'Be quick.'),
      say(Role.USER, 'Three'),
    ]);
    const { body, warnings } = wire(anthropic.request(chat, TARGET));
    expect(body['messages']).toEqual([
      { role: 'user', content: [textPart('One')] },
      { role: 'system', content: [textPart('Be kind.')] },
      { role: 'assistant', content: [textPart('Two')] },
      { role: 'user', content: [textPart('Three')] },
      { role: 'system', content: [textPart('Be brief.'), textPart('Be quick.')] },
    ]);
    expect(body).not.toHaveProperty('system');
    expect(warnings).toEqual([]);
  });

  it('moves later instructions to the top, with a warning, for models that take them nowhere else', () => {
    const chat = chatOf({}, [say(Role.USER, 'One'), say(Role.SYSTEM, 'Be kind.')]);
    const { body, warnings } = wire(anthropic.request(chat, target('claude-haiku-4-5-20251001')));
    expect(body['system']).toEqual([textPart('Be kind.')]);
    expect(body['messages']).toEqual([{ role: 'user', content: [textPart('One')] }]);
    expect(warnings).toMatchObject([{ code: WarningCode.PARAMETER_ADJUSTED, field: 'messages' }]);
  });

  it('drops what the API has no parameter for, with one warning each', () => {
    const chat = chatOf({ temperature: 0, topP: 1, seed: 1n, presencePenalty: 0.5, frequencyPenalty: 0.5 });
    const { body, warnings } = wire(anthropic.request(chat, TARGET));
    expect(Object.keys(body).toSorted()).toEqual(['max_tokens', 'messages', 'model', 'stream']);
    expect(warnings.map(({ field }) => field)).toEqual([
      'options.temperature',
      'options.top_p',
      'options.seed',
      'options.presence_penalty',
      'options.frequency_penalty',
    ]);
    expect(new Set(warnings.map(({ code }) => code))).toEqual(new Set([WarningCode.PARAMETER_DROPPED]));
  });

  it('sends stop texts and the end user; the gateway looks for stop texts of blanks alone', () => {
    const request = wire(anthropic.request(chatOf({ stop: ['END', '\n\n'], endUser: 'user-7' }), TARGET));
    expect(request.body).toMatchObject({ stop_sequences: ['END'], metadata: { user_id: 'user-7' } });
    expect(request.localStop).toEqual(['\n\n']);
  });

  it('leaves out an id of the end user that is too long, and says so', () => {
    const request = wire(anthropic.request(chatOf({ endUser: 'u'.repeat(513) }), TARGET));
    expect(request.body).not.toHaveProperty('metadata');
    expect(request.warnings).toMatchObject([{ code: WarningCode.PARAMETER_DROPPED, field: 'options.end_user' }]);
  });

  it('sets max_tokens itself where the caller does not, less where the answer is not streamed', () => {
    const bodyOf = (model: string, streams: boolean, maxTokens?: number) =>
      wire(anthropic.request(chatOf({ maxTokens }), target(model, streams)));
    expect(bodyOf('claude-opus-5-5', true).body['max_tokens']).toBe(32_000);
    expect(bodyOf('claude-opus-5-5', false).body).toMatchObject({ max_tokens: 16_000, stream: false });
    expect(bodyOf('claude-opus-5-5', true, 50).body['max_tokens']).toBe(50);
    expect(bodyOf('claude-future-9', true, 500_000)).toMatchObject({ body: { max_tokens: 500_000 }, warnings: [] });
    expect(bodyOf('claude-haiku-4-5', true, 100_000)).toMatchObject({
      body: { max_tokens: 64_000 },
      warnings: [{ code: WarningCode.PARAMETER_ADJUSTED, field: 'options.max_tokens' }],
    });
  });

  it("lets the caller's own fields win, but never over model and stream", () => {
    const chat = chatOf({
      reasoningEffort: ReasoningEffort.LOW,
      providerOptions: {
        anthropic: { max_tokens: 5, model: 'other', stream: false, output_config: { task_budget: 1 }, speed: 'fast' },
        openai: { user: 'nobody' },
      },
    });
    const { body, warnings } = wire(anthropic.request(chat, TARGET));
    expect(body).toMatchObject({
      model: 'claude-sonnet-5-5',
      stream: true,
      max_tokens: 5,
      speed: 'fast',
      output_config: { effort: 'low', task_budget: 1 },
    });
    expect(body).not.toHaveProperty('user');
    expect(warnings.map(({ field }) => field)).toEqual([
      'options.provider_options.anthropic.model',
      'options.provider_options.anthropic.stream',
    ]);
  });
});
