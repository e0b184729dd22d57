import { describe, expect, it } from 'vitest';
import { ReasoningEffort, Role } from '../../../../gen/understudy/v1/chat_pb.ts';
import { WarningCode } from '../../../../gen/understudy/v1/routing_pb.ts';
import type { AdapterTarget } from '../../../../src/providers/port/adapter.ts';
import { azureOpenAi } from '../../../../src/providers/azure-openai.ts';
import { deepseek } from '../../../../src/providers/deepseek.ts';
import { openai } from '../../../../src/providers/openai.ts';
import { chatOf, say, wire } from '../../../support/chat-samples.ts';

const chat = openai('chat_completions');

function target(model: string, more: Partial<AdapterTarget> = {}): AdapterTarget {
  return { name: 'main', provider: 'openai', model, stream: false, ...more };
}

function chatBody(model: string, options: Parameters<typeof chatOf>[0]) {
  return wire(chat.request(chatOf(options), target(model)));
}

function dropped(...fields: readonly string[]) {
  return fields.map((field) => expect.objectContaining({ code: WarningCode.PARAMETER_DROPPED, field }));
}

const CONVERSATION = [
  say(Role.SYSTEM, 'Be brief.'),
  say(Role.SYSTEM, 'Be kind.'),
  say(Role.USER, 'One', 'Two'),
  say(Role.ASSISTANT, 'Three'),
  say(Role.SYSTEM, 'Be quick.'),
  say(Role.USER, 'Four'),
];

describe('a request to Chat Completions', () => {
  it('has the messages in order, several texts of one as parts', () => {
    const request = wire(chat.request(chatOf({}, CONVERSATION), target('gpt-4.1')));
    expect(request.path).toBe('/chat/completions');
    expect(request.body).toEqual({
      model: 'gpt-4.1',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'system', content: 'Be kind.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'One' },
            { type: 'text', text: 'Two' },
          ],
        },
        { role: 'assistant', content: 'Three' },
        { role: 'system', content: 'Be quick.' },
        { role: 'user', content: 'Four' },
      ],
    });
    expect(request.warnings).toEqual([]);
  });

  it('gives instructions as developer where the model reasons, otherwise as system', () => {
    const roleFor = (model: string) => wire(chat.request(chatOf({}, CONVERSATION), target(model))).body['messages'];
    for (const model of ['o3', 'gpt-5-mini', 'gpt-6.1-sol', 'ft:gpt-5.4-mini:org::id']) {
      expect(roleFor(model)).toMatchObject([{ role: 'developer' }, {}, {}, {}, { role: 'developer' }, {}]);
    }
    for (const model of ['gpt-4o', 'gpt-5-chat-latest', 'llama-3.3-70b', 'gpt-oss-120b', 'my-deployment']) {
      expect(roleFor(model)).toMatchObject([{ role: 'system' }, {}, {}, {}, { role: 'system' }, {}]);
    }
  });

  it('passes every option to models that do not reason and to unknown ones', () => {
    const options = {
      temperature: 0.5,
      topP: 0.9,
      maxTokens: 100,
      stop: ['END'],
      seed: 7n,
      presencePenalty: 1,
      frequencyPenalty: -1,
      endUser: 'user-1',
    };
    const fields = {
      temperature: 0.5,
      top_p: 0.9,
      max_completion_tokens: 100,
      stop: ['END'],
      seed: 7,
      presence_penalty: 1,
      frequency_penalty: -1,
      safety_identifier: 'user-1',
    };
    expect(chatBody('gpt-4o', options)).toMatchObject({ body: fields, warnings: [], localStop: [] });
    const { max_completion_tokens: limit, safety_identifier: user, ...others } = fields;
    const unknown = chatBody('llama-3.3-70b', options);
    expect(unknown).toMatchObject({ body: { ...others, max_tokens: limit, user }, warnings: [], localStop: [] });
    expect(Object.keys(unknown.body)).not.toContain('max_completion_tokens');
    expect(Object.keys(unknown.body)).not.toContain('safety_identifier');
    expect(chatBody('llama-3.3-70b', { reasoningEffort: ReasoningEffort.MAX }).body).toMatchObject({
      reasoning_effort: 'max',
    });
  });

  it('leaves out, with a warning each, what reasoning models refuse, and cuts at stop texts itself', () => {
    const request = chatBody('gpt-6.1-sol', {
      temperature: 0,
      topP: 1,
      presencePenalty: 0,
      frequencyPenalty: 0,
      stop: ['END'],
      reasoningEffort: ReasoningEffort.NONE,
    });
    expect(Object.keys(request.body).sort()).toEqual(['messages', 'model', 'reasoning_effort']);
    expect(request.body['reasoning_effort']).toBe('low');
    expect(request.warnings).toEqual([
      ...dropped('options.temperature', 'options.top_p'),
      expect.objectContaining({ code: WarningCode.PARAMETER_ADJUSTED, field: 'options.reasoning_effort' }),
      ...dropped('options.presence_penalty', 'options.frequency_penalty'),
    ]);
    expect(request.localStop).toEqual(['END']);
  });

  it('lets reasoning models sample at effort none, where they take it', () => {
    const request = chatBody('gpt-5.6-sol', { temperature: 0.2, reasoningEffort: ReasoningEffort.NONE });
    expect(request.body).toMatchObject({ temperature: 0.2, reasoning_effort: 'none' });
    expect(request.warnings).toEqual([]);
  });

  it.each([
    ['gpt-5.6-sol', ReasoningEffort.MINIMAL, 'low', true],
    ['gpt-5.6-sol', ReasoningEffort.MAX, 'xhigh', true],
    ['gpt-5', ReasoningEffort.MINIMAL, 'minimal', false],
    ['gpt-5', ReasoningEffort.XHIGH, 'high', true],
    ['gpt-5-pro', ReasoningEffort.LOW, 'high', true],
    ['gpt-5.1', ReasoningEffort.NONE, 'none', false],
    ['o4-mini', ReasoningEffort.NONE, 'low', true],
    ['gpt-6-astra', ReasoningEffort.MAX, 'xhigh', true],
  ])('fits the effort for %s: %i becomes %s', (model, asked, effort, isAdjusted) => {
    const request = chatBody(model, { reasoningEffort: asked });
    expect(request.body['reasoning_effort']).toBe(effort);
    expect(request.warnings.map(({ code }) => code)).toEqual(isAdjusted ? [WarningCode.PARAMETER_ADJUSTED] : []);
  });

  it('sends no effort to models that do not reason, and warns unless none was wanted', () => {
    expect(chatBody('gpt-4o', { reasoningEffort: ReasoningEffort.HIGH })).toMatchObject({
      warnings: dropped('options.reasoning_effort'),
    });
    expect(chatBody('gpt-4o', { reasoningEffort: ReasoningEffort.NONE }).warnings).toEqual([]);
    expect(chatBody('gpt-4o', { reasoningEffort: ReasoningEffort.NONE }).body).not.toHaveProperty('reasoning_effort');
  });

  it('sends four stop texts and looks for the others itself', () => {
    const request = chatBody('gpt-4o', { stop: ['1', '2', '3', '4', '5'] });
    expect(request.body['stop']).toEqual(['1', '2', '3', '4']);
    expect(request.localStop).toEqual(['5']);
  });

  it('leaves out a seed that JSON cannot carry and an end user that is too long', () => {
    const request = chatBody('gpt-4o', { seed: 2n ** 60n, endUser: 'u'.repeat(129) });
    expect(Object.keys(request.body).sort()).toEqual(['messages', 'model']);
    expect(request.warnings).toEqual(dropped('options.end_user', 'options.seed'));
  });

  it('asks for usage in streams, and against padding only where OpenAI answers', () => {
    const streamed = (adapter: typeof chat, model: string) =>
      wire(adapter.request(chatOf({}), target(model, { stream: true }))).body;
    expect(streamed(chat, 'gpt-4o')).toMatchObject({
      stream: true,
      stream_options: { include_usage: true, include_obfuscation: false },
    });
    expect(streamed(chat, 'llama-3.3-70b')['stream_options']).toEqual({ include_usage: true });
    expect(streamed(azureOpenAi('chat_completions'), 'gpt-4o')['stream_options']).toEqual({ include_usage: true });
    expect(streamed(deepseek, 'deepseek-flash')['stream_options']).toEqual({ include_usage: true });
    expect(chatBody('gpt-4o', {}).body).not.toHaveProperty('stream');
  });

  it('lets own fields of the caller win, but for the model and the mode', () => {
    const providerOptions = {
      openai: { temperature: 2, logit_bias: { 50256: -100 }, model: 'other', stream: true },
      deepseek: { top_k: 1 },
    };
    const request = chatBody('gpt-4o', { temperature: 0, providerOptions });
    expect(request.body).toMatchObject({ model: 'gpt-4o', temperature: 2, logit_bias: { 50256: -100 } });
    expect(request.body).not.toHaveProperty('stream');
    expect(request.body).not.toHaveProperty('top_k');
    expect(request.warnings).toEqual(
      dropped('options.provider_options.openai.model', 'options.provider_options.openai.stream'),
    );
  });
});

describe('a schema of the answer at a model that has JSON alone', () => {
  const asked = (words: string) => {
    const value = { name: 'a', schemaJson: '{"type":"object"}', strict: true };
    return chatOf({ responseFormat: { format: { case: 'jsonSchema', value } } }, [say(Role.USER, words)]);
  };

  it.each([
    ['chat_completions', { response_format: { type: 'json_object' } }],
    ['responses', { text: { format: { type: 'json_object' } } }],
  ] as const)('is left to the gateway: %s', (api, body) => {
    const request = wire(openai(api).request(asked('Write json.'), target('gpt-4-turbo')));
    expect(request).toMatchObject({ body, localSchema: true });
    expect(wire(openai(api).request(asked('Write json.'), target('gpt-4.1')))).not.toHaveProperty('localSchema');
    // What has the name at another host may take a schema.
    const elsewhere = wire(openai(api).request(asked('Write json.'), target('gpt-4', { ownHost: false })));
    expect(elsewhere).not.toHaveProperty('localSchema');
  });

  it.each(['chat_completions', 'responses'] as const)('is refused where the mode would be: %s', (api) => {
    const failure = openai(api).request(asked('Write it.'), target('gpt-4-turbo'));
    expect(failure).toMatchObject({ reason: 'UNSUPPORTED_PARAMETER', field: 'options.response_format' });
  });
});
