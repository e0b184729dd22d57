import { describe, expect, it } from 'vitest';
import { ReasoningEffort, Role, ToolChoiceMode } from '../../gen/understudy/v1/chat_pb.ts';
import { WarningCode } from '../../gen/understudy/v1/routing_pb.ts';
import type { Chat } from '../../src/providers/port/adapter.ts';
import { assembleMessage } from '../../src/server/answers/assembled-answer.ts';
import { deepseek } from '../../src/providers/deepseek.ts';
import { deltas, answer, chatOf, refusal, say, wire } from '../support/chat-samples.ts';
import { call, LINKED, message, PNG, request, result, text, thought, tool } from '../support/tool-samples.ts';

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

const FLASH = { name: 'main', provider: 'deepseek', model: 'deepseek-flash', stream: false } as const;

function flash(asked: Chat) {
  return wire(deepseek.request(asked, FLASH));
}

describe('tools at DeepSeek', () => {
  const { NONE, REQUIRED } = ToolChoiceMode;
  const tools = [tool('time'), tool('news')];

  it('have no strict, which is said, and a choice is made of those that are sent', () => {
    const { body, warnings } = flash(
      request({ tools: [tool('time', { strict: true }), tool('news')], toolChoice: { toolNames: ['time'] } }),
    );
    expect(body['tools']).toEqual([{ type: 'function', function: { name: 'time', parameters: expect.anything() } }]);
    expect(body).not.toHaveProperty('tool_choice');
    expect(warnings).toMatchObject([{ code: WarningCode.PARAMETER_DROPPED, field: 'tools[0].function.strict' }]);
  });

  it('that must be called end the thinking, with a warning', () => {
    const { body, warnings } = flash(request({ tools, toolChoice: { mode: REQUIRED } }));
    expect(body).toMatchObject({ tool_choice: 'required', thinking: { type: 'disabled' } });
    expect(warnings).toMatchObject([{ code: WarningCode.PARAMETER_ADJUSTED, field: 'options.reasoning_effort' }]);
    const silent = { reasoningEffort: ReasoningEffort.NONE };
    expect(flash(request({ tools, toolChoice: { mode: REQUIRED }, options: silent })).warnings).toEqual([]);
  });

  it('that must not be called are not sent to a model that thinks', () => {
    const asked = request({ tools, toolChoice: { mode: NONE } });
    expect(flash(asked).body).not.toHaveProperty('tools');
    const plain = wire(deepseek.request(asked, { ...FLASH, model: 'deepseek-chat' }));
    expect(plain.body).toMatchObject({ tools: [{}, {}], tool_choice: 'none' });
  });

  it('cannot be kept from being called at once, which is said', () => {
    const sent = flash(request({ tools, options: { parallelToolCalls: false } }));
    expect(sent.body).not.toHaveProperty('parallel_tool_calls');
    expect(sent.warnings).toEqual(dropped('options.parallel_tool_calls'));
    expect(flash(request({ tools, options: { parallelToolCalls: true } })).warnings).toEqual([]);
  });
});

describe('reasoning at DeepSeek', () => {
  const state = { type: 'reasoning_content' };
  const asked = request({
    messages: [
      say(Role.USER, 'Hi'),
      message(Role.ASSISTANT, thought('Mine.', 'main', state), call('1', 'f')),
      result('1', [text('Done')], true),
      message(Role.ASSISTANT, thought('Foreign.', 'other', state), text('Hello')),
      say(Role.USER, 'Bye'),
    ],
  });

  it('comes back with every message of the assistant, and is empty where it was another model that spoke', () => {
    const { body, warnings } = flash(asked);
    expect(body['messages']).toMatchObject([
      {},
      { role: 'assistant', content: null, reasoning_content: 'Mine.', tool_calls: [{ id: '1' }] },
      { role: 'tool', content: 'Error: Done' },
      { role: 'assistant', content: 'Hello', reasoning_content: '' },
      {},
    ]);
    expect(warnings).toMatchObject([{ code: WarningCode.PROVIDER_STATE_DROPPED }]);
  });

  it('is left out while the model does not think', () => {
    const silent = chatOf({ reasoningEffort: ReasoningEffort.NONE }, asked.messages);
    expect(JSON.stringify(flash(silent).body)).not.toContain('reasoning_content');
    const plain = wire(deepseek.request(asked, { ...FLASH, model: 'deepseek-chat' }));
    expect(JSON.stringify(plain.body)).not.toContain('reasoning_content');
  });

  it('goes round: what was streamed is what comes back', () => {
    const read = deepseek.events();
    const chunk = (delta: object, finish: string | null = null) =>
      JSON.stringify({ id: 'c', model: 'deepseek-flash', choices: [{ index: 0, delta, finish_reason: finish }] });
    const call0 = { index: 0, id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } };
    const events = [
      chunk({ role: 'assistant', content: '', reasoning_content: 'Let me ' }),
      chunk({ reasoning_content: 'see.' }),
      chunk({ tool_calls: [call0] }),
      chunk({}, 'tool_calls'),
      '[DONE]',
    ].flatMap((data) => read({ name: '', data }));
    expect(answer(events)).toMatchObject({ reasoning: 'Let me see.', calls: [{ id: 'call_1' }] });
    const next = request({
      messages: [say(Role.USER, 'Hi'), assembleMessage(deltas(events), 'main'), result('call_1', [])],
    });
    expect(flash(next).body['messages']).toMatchObject([
      {},
      { reasoning_content: 'Let me see.', tool_calls: [{ id: 'call_1', function: { name: 'f', arguments: '{}' } }] },
      { tool_call_id: 'call_1' },
    ]);
  });
});

describe('what DeepSeek cannot take', () => {
  const fieldOf = (asked: Chat, model: string = FLASH.model) =>
    refusal(deepseek.request(asked, { ...FLASH, model })).field;

  it('images: only the flash models see, and only bytes', () => {
    const seen = flash(request({ messages: [message(Role.USER, PNG)] }));
    expect(seen.body['messages']).toMatchObject([{ content: [{ image_url: { url: 'data:image/png;base64,AQID' } }] }]);
    expect(fieldOf(request({ messages: [message(Role.USER, LINKED)] }))).toBe('messages[0].content[0].image.url');
    const blind = fieldOf(request({ messages: [message(Role.USER, PNG)] }), 'deepseek-v4-pro');
    expect(blind).toBe('messages[0].content[0].image');
  });

  it('schemas: it writes JSON, and the gateway holds it to the schema', () => {
    const jsonSchema = { case: 'jsonSchema', value: { name: 'a', schemaJson: '{}' } } as const;
    const options = { responseFormat: { format: jsonSchema } };
    const sent = flash(chatOf(options, [say(Role.USER, 'Answer in JSON.')]));
    expect(sent).toMatchObject({ body: { response_format: { type: 'json_object' } }, localSchema: true });
    const object = { responseFormat: { format: { case: 'jsonObject', value: {} } as const } };
    expect(flash(chatOf(object, [say(Role.USER, 'Answer in json.')])).localSchema).toBeUndefined();
    expect(fieldOf(chatOf(options))).toBe('options.response_format');
  });
});
