import { describe, expect, it } from 'vitest';
import { ReasoningEffort, Role, ToolChoiceMode } from '../../gen/understudy/v1/chat_pb.ts';
import { WarningCode } from '../../gen/understudy/v1/routing_pb.ts';
import type { Chat } from '../../src/providers/port/adapter.ts';
import { mistral } from '../../src/providers/mistral.ts';
import { answer, chatOf, refusal, say, wire } from '../support/chat-samples.ts';
import { call, file, LINKED, message, PNG, request, result, text, tool } from '../support/tool-samples.ts';

const LARGE = 'mistral-large-latest';

function target(model: string, stream = false) {
  return { name: 'main', provider: 'mistral', model, stream } as const;
}

function sent(asked: Chat, model = LARGE) {
  return wire(mistral.request(asked, target(model)));
}

describe('a request to Mistral', () => {
  it('has its names for the options, and names those that it does not take', () => {
    const { path, body, warnings, localStop } = sent(
      chatOf({
        temperature: 0.5,
        topP: 0.9,
        maxTokens: 100,
        stop: ['1', '2', '3', '4', '5'],
        seed: 7n,
        presencePenalty: 1,
        frequencyPenalty: 1,
        endUser: 'user-1',
        reasoningEffort: ReasoningEffort.HIGH,
      }),
    );
    expect(path).toBe('/chat/completions');
    expect(body).toEqual({
      model: LARGE,
      messages: [{ role: 'user', content: 'Hi' }],
      temperature: 0.5,
      top_p: 0.9,
      max_tokens: 100,
      stop: ['1', '2', '3', '4'],
      random_seed: 7,
      presence_penalty: 1,
      frequency_penalty: 1,
    });
    expect(warnings).toMatchObject(
      ['options.reasoning_effort', 'options.end_user'].map((field) => ({
        code: WarningCode.PARAMETER_DROPPED,
        field,
      })),
    );
    expect(localStop).toEqual(['5']);
  });

  it('has no stream_options, which the API refuses', () => {
    const { body } = wire(mistral.request(chatOf({}), target(LARGE, true)));
    expect(body).toEqual({ model: LARGE, messages: [{ role: 'user', content: 'Hi' }], stream: true });
  });

  it.each([
    [LARGE, ReasoningEffort.NONE, 0],
    [LARGE, ReasoningEffort.LOW, 1],
    ['magistral-medium-latest', ReasoningEffort.NONE, 1],
  ])('says of %s at effort %i that it cannot be told how much to reason, where it matters', (model, effort, count) => {
    const { body, warnings } = sent(chatOf({ reasoningEffort: effort }), model);
    expect(body).not.toHaveProperty('reasoning_effort');
    expect(warnings.map(({ field }) => field)).toEqual(Array(count).fill('options.reasoning_effort'));
  });

  it('requires a tool in its own word, sends only those that may be called, and none of them strict', () => {
    const tools = [tool('time', { strict: true }), tool('news'), tool('weather')];
    const chosen = (...toolNames: string[]) => ({ mode: ToolChoiceMode.REQUIRED, toolNames });
    const { body, warnings } = sent(
      request({ tools, toolChoice: chosen('time', 'news'), options: { parallelToolCalls: false } }),
    );
    expect(body).toMatchObject({
      tools: [{ function: { name: 'time' } }, { function: { name: 'news' } }],
      tool_choice: 'any',
      parallel_tool_calls: false,
    });
    expect(JSON.stringify(body)).not.toContain('strict');
    expect(warnings).toMatchObject([{ code: WarningCode.PARAMETER_DROPPED, field: 'tools[0].function.strict' }]);
    expect(sent(request({ tools, toolChoice: chosen('news') })).body['tool_choice']).toEqual({
      type: 'function',
      function: { name: 'news' },
    });
    const none = sent(request({ tools, toolChoice: { mode: ToolChoiceMode.NONE } }));
    expect(none.body['tool_choice']).toBe('none');
  });

  it('has ids of nine letters and digits, the same for a call and its result', () => {
    const turns = (id: string) => [
      say(Role.USER, 'Weather?'),
      message(Role.ASSISTANT, call(id, 'weather')),
      result(id, [text('sunny')]),
    ];
    const { body } = sent(request({ tools: [tool('weather')], messages: turns('call_PTLP8xhu3uwZk4l3nlnrrJha') }));
    const id: unknown = expect.stringMatching(/^[A-Za-z0-9]{9}$/);
    expect(body['messages']).toMatchObject([
      { role: 'user' },
      { role: 'assistant', tool_calls: [{ id }] },
      { role: 'tool', tool_call_id: id, content: 'sunny' },
    ]);
    const own = sent(request({ tools: [tool('weather')], messages: turns('D681PevKs') }));
    expect(own.body['messages']).toMatchObject([
      {},
      { tool_calls: [{ id: 'D681PevKs' }] },
      { tool_call_id: 'D681PevKs' },
    ]);
  });

  it('has answers in JSON of a schema, images by bytes and address, and no files', () => {
    const value = { name: 'a', schemaJson: '{"type":"object"}', strict: true };
    const asked = sent(chatOf({ responseFormat: { format: { case: 'jsonSchema', value } } }));
    expect(asked.body['response_format']).toEqual({
      type: 'json_schema',
      json_schema: { name: 'a', schema: { type: 'object' }, strict: true },
    });
    expect(sent(request({ messages: [message(Role.USER, PNG, LINKED)] })).body['messages']).toMatchObject([
      { content: [{ type: 'image_url' }, { type: 'image_url', image_url: { url: 'https://example.com/a.png' } }] },
    ]);
    const filed = request({ messages: [message(Role.USER, file('application/pdf'))] });
    expect(refusal(mistral.request(filed, target(LARGE))).field).toBe('messages[0].content[0].file');
  });
});

describe('an answer of Mistral', () => {
  const thinking = { type: 'thinking', thinking: [{ type: 'text', text: 'a greeting' }] };
  const usage = { prompt_tokens: 12, completion_tokens: 5, total_tokens: 17 };

  it('may have its content in parts: texts, thoughts, and others that are passed over', () => {
    const content = [
      thinking,
      { type: 'text', text: 'Hello ' },
      { type: 'reference', reference_ids: [1] },
      { type: 'text', text: 'you.' },
    ];
    const choices = [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }];
    expect(answer(mistral.response({ id: 'c1', model: LARGE, choices, usage }))).toMatchObject({
      text: 'Hello you.',
      reasoning: 'a greeting',
      usage: { inputTokens: 12, outputTokens: 5 },
      finish: { reason: 'STOP', raw: 'stop' },
    });
  });

  it('streams parts and texts, and its usage with the last of them', () => {
    const read = mistral.events();
    const chunk = (content: unknown, more: object = {}) => ({
      name: '',
      data: JSON.stringify({ id: 'c1', model: LARGE, choices: [{ index: 0, delta: { content }, ...more }], ...more }),
    });
    const events = [
      chunk(''),
      chunk([{ type: 'thinking', thinking: [{ type: 'text', text: 'a ' }] }]),
      chunk([{ type: 'thinking', thinking: 'greeting' }]),
      chunk([{ type: 'text', text: 'Hello ' }]),
      chunk('you.'),
      chunk('', { finish_reason: 'length', usage }),
      { name: '', data: '[DONE]' },
    ].flatMap(read);
    expect(answer(events)).toMatchObject({
      text: 'Hello you.',
      reasoning: 'a greeting',
      usage: { outputTokens: 5 },
      finish: { reason: 'LENGTH', raw: 'length' },
    });
    expect(events.at(-1)).toEqual({ type: 'end' });
  });

  it('that filled the window of the model ends by its length', () => {
    const choices = [{ index: 0, message: { content: 'Hel' }, finish_reason: 'model_length' }];
    const { finish } = answer(mistral.response({ choices }));
    expect(finish).toEqual({ type: 'finish', reason: 'LENGTH', raw: 'model_length' });
  });

  it.each([
    [400, { message: 'Invalid model: x', type: 'invalid_model', code: '1500' }, 'not_found'],
    [401, { message: 'Unauthorized', request_id: 'r' }, 'auth'],
    [429, { message: 'Rate limit exceeded', type: 'rate_limited', code: '1300' }, 'rate_limit'],
    [
      400,
      { message: 'Prompt contains 9 tokens, too large for model with 8 maximum context length', code: '3051' },
      'capability',
    ],
  ])('of status %i is an error without an envelope: %j', (status, error, failureClass) => {
    const body = JSON.stringify({ object: 'error', ...error });
    expect(mistral.failure({ status, headers: {}, body, wallMs: 0 })).toMatchObject({ class: failureClass });
  });
});
