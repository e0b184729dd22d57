import { describe, expect, it } from 'vitest';
import { ReasoningEffort, Role, ToolChoiceMode } from '../../../../gen/understudy/v1/chat_pb.ts';
import { WarningCode } from '../../../../gen/understudy/v1/routing_pb.ts';
import type { Chat } from '../../../../src/providers/port/adapter.ts';
import { azureOpenAi } from '../../../../src/providers/azure-openai.ts';
import { openai } from '../../../../src/providers/openai.ts';
import { refusal, say, wire } from '../../../support/chat-samples.ts';
import { call, message, request, result, text, tool } from '../../../support/tool-samples.ts';

const chat = openai('chat_completions');
const responses = openai('responses');

function target(model: string) {
  return { name: 'main', provider: 'openai', model, stream: false } as const;
}

function chatBody(model: string, asked: Chat) {
  return wire(chat.request(asked, target(model))).body;
}

function responsesBody(model: string, asked: Chat) {
  return wire(responses.request(asked, target(model))).body;
}

const SCHEMA = '{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}';
const WEATHER = tool('weather', { description: 'The weather.', parametersJson: SCHEMA, strict: true });
const TOOLS = [WEATHER, tool('time'), tool('news')];
const EMPTY = { type: 'object', properties: {}, additionalProperties: false };

describe('tools', () => {
  it('are nested on Chat Completions and flat on Responses, there with an explicit strict', () => {
    const asked = request({ tools: [WEATHER, tool('time')] });
    expect(chatBody('gpt-4.1', asked)['tools']).toEqual([
      {
        type: 'function',
        function: { name: 'weather', description: 'The weather.', parameters: JSON.parse(SCHEMA), strict: true },
      },
      { type: 'function', function: { name: 'time', parameters: EMPTY } },
    ]);
    expect(responsesBody('gpt-4.1', asked)['tools']).toEqual([
      { type: 'function', name: 'weather', description: 'The weather.', parameters: JSON.parse(SCHEMA), strict: true },
      { type: 'function', name: 'time', parameters: EMPTY, strict: false },
    ]);
  });

  it('keep the order of keys and every digit of their schemas', () => {
    const parametersJson = '{"type":"object","properties":{"z":{"maximum":12345678901234567890},"a":{}}}';
    for (const body of [chatBody, responsesBody]) {
      const sent = JSON.stringify(body('gpt-4.1', request({ tools: [tool('f', { parametersJson })] })));
      expect(sent).toContain(parametersJson);
    }
  });

  it('with a schema that is no JSON object are refused by name', () => {
    const asked = request({ tools: [tool('f'), tool('g', { parametersJson: '[' })] });
    const failure = refusal(chat.request(asked, target('gpt-4.1')));
    expect(failure).toMatchObject({ class: 'bad_request', field: 'tools[1].function.parameters_json' });
  });

  it('say whether several may be called at once', () => {
    const asked = request({ tools: TOOLS, options: { parallelToolCalls: false } });
    expect(chatBody('gpt-4.1', asked)).toMatchObject({ parallel_tool_calls: false });
    expect(responsesBody('gpt-4.1', asked)).toMatchObject({ parallel_tool_calls: false });
    expect(chatBody('gpt-4.1', request({ tools: TOOLS }))).not.toHaveProperty('parallel_tool_calls');
  });
});

describe('the choice of a tool', () => {
  const { AUTO, NONE, REQUIRED } = ToolChoiceMode;
  const time = { type: 'function', name: 'time' };
  const nested = (name: string) => ({ type: 'function', function: { name } });
  const some = ['time', 'news'];

  it.each([
    { mode: AUTO, toolNames: [], flat: undefined, deep: undefined },
    { mode: NONE, toolNames: ['time'], flat: 'none', deep: 'none' },
    { mode: REQUIRED, toolNames: [], flat: 'required', deep: 'required' },
    { mode: REQUIRED, toolNames: ['time'], flat: time, deep: nested('time') },
    {
      mode: AUTO,
      toolNames: ['time'],
      flat: { type: 'allowed_tools', mode: 'auto', tools: [time] },
      deep: { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [nested('time')] } },
    },
    {
      mode: REQUIRED,
      toolNames: some,
      flat: { type: 'allowed_tools', mode: 'required', tools: [time, { ...time, name: 'news' }] },
      deep: { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: some.map(nested) } },
    },
  ])('$mode of $toolNames has a form in both APIs', ({ mode, toolNames, flat, deep }) => {
    const asked = request({ tools: TOOLS, toolChoice: { mode, toolNames } });
    expect(responsesBody('gpt-5.6-sol', asked)['tool_choice']).toEqual(flat);
    expect(chatBody('gpt-4.1', asked)['tool_choice']).toEqual(deep);
    expect(chatBody('gpt-4.1', asked)['tools']).toHaveLength(3);
  });

  it('among some is made by sending only those where a server may not know better', () => {
    const dated = azureOpenAi('chat_completions', 'https://r.openai.azure.com/openai?api-version=2024-10-21');
    const asked = request({ tools: TOOLS, toolChoice: { mode: REQUIRED, toolNames: some } });
    for (const body of [chatBody('llama-3.3-70b', asked), wire(dated.request(asked, target('d'))).body]) {
      expect(body).toMatchObject({ tools: some.map(nested), tool_choice: 'required' });
    }
    const one = request({ tools: TOOLS, toolChoice: { mode: REQUIRED, toolNames: ['time'] } });
    expect(chatBody('llama-3.3-70b', one)).toMatchObject({ tools: [nested('time')], tool_choice: nested('time') });
  });
});

describe('the effort beside tools on Chat Completions', () => {
  const { UNSPECIFIED, NONE, HIGH } = ReasoningEffort;
  const { PARAMETER_ADJUSTED: adjusted, PARAMETER_DROPPED: dropped } = WarningCode;

  it.each([
    ['gpt-5.6-sol', UNSPECIFIED, 'none', [adjusted]],
    ['gpt-5.6-sol', HIGH, 'none', [adjusted]],
    ['gpt-6-luna', NONE, 'none', []],
    ['ft:gpt-6.1-terra:org::id', HIGH, 'none', [adjusted]],
    ['gpt-5.4-mini', HIGH, undefined, [dropped]],
    ['gpt-5.4-mini', NONE, undefined, []],
    ['gpt-5.4-mini', UNSPECIFIED, undefined, []],
    ['gpt-5.1', HIGH, 'high', []],
    ['o3', HIGH, 'high', []],
    ['gpt-oss-120b', HIGH, 'high', []],
  ])('of %s, asked for %i, is %s', (model, reasoningEffort, effort, codes) => {
    const sent = wire(chat.request(request({ tools: TOOLS, options: { reasoningEffort } }), target(model)));
    expect(sent.body['reasoning_effort']).toBe(effort);
    expect(sent.warnings.map(({ code }) => code)).toEqual(codes);
  });

  it('is none also for a request without options, and lets the model sample', () => {
    expect(chatBody('gpt-5.6-sol', request({ tools: TOOLS }))['reasoning_effort']).toBe('none');
    const sampled = request({ tools: TOOLS, options: { temperature: 0.2 } });
    expect(chatBody('gpt-5.6-sol', sampled)).toMatchObject({ temperature: 0.2, reasoning_effort: 'none' });
  });

  it('cannot be had of models that always reason: they are refused', () => {
    for (const model of ['gpt-6-astra', 'gpt-6.1-sol']) {
      const failure = refusal(chat.request(request({ tools: TOOLS }), target(model)));
      expect(failure).toMatchObject({ class: 'capability', field: 'tools' });
      expect(responsesBody(model, request({ tools: TOOLS }))['tools']).toHaveLength(3);
    }
  });
});

describe('calls and their results', () => {
  const asked = request({
    tools: TOOLS,
    messages: [
      say(Role.USER, 'Hi'),
      message(
        Role.ASSISTANT,
        text('One moment.'),
        call('1', 'weather', '{"city":"Rome"}'),
        text('And'),
        call('2', 'time', ''),
      ),
      {
        role: Role.TOOL,
        content: [...(result('1', [text('Sunny')]).content ?? []), ...(result('2', [], true).content ?? [])],
      },
      result('3', [text('No such city.'), text('Try another.')], true),
    ],
  });

  it('stand in order in the input of Responses', () => {
    expect(responsesBody('gpt-4.1', asked)['input']).toEqual([
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'One moment.' },
      { type: 'function_call', call_id: '1', name: 'weather', arguments: '{"city":"Rome"}' },
      { role: 'assistant', content: 'And' },
      { type: 'function_call', call_id: '2', name: 'time', arguments: '{}' },
      { type: 'function_call_output', call_id: '1', output: 'Sunny' },
      { type: 'function_call_output', call_id: '2', output: 'Error:' },
      {
        type: 'function_call_output',
        call_id: '3',
        output: [
          { type: 'input_text', text: 'Error: No such city.' },
          { type: 'input_text', text: 'Try another.' },
        ],
      },
    ]);
  });

  it('are one message with its texts first, and a message for each result, on Chat Completions', () => {
    const parts = ['One moment.', 'And'].map((words) => ({ type: 'text', text: words }));
    const calls = [
      { id: '1', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } },
      { id: '2', type: 'function', function: { name: 'time', arguments: '{}' } },
    ];
    expect(chatBody('gpt-4.1', asked)['messages']).toEqual([
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: parts, tool_calls: calls },
      { role: 'tool', tool_call_id: '1', content: 'Sunny' },
      { role: 'tool', tool_call_id: '2', content: 'Error:' },
      {
        role: 'tool',
        tool_call_id: '3',
        content: [
          { type: 'text', text: 'Error: No such city.' },
          { type: 'text', text: 'Try another.' },
        ],
      },
    ]);
  });

  it('are one text each where a server may take no parts', () => {
    const last = (chatBody('llama-3.3-70b', asked)['messages'] as readonly unknown[]).at(-1);
    expect(last).toEqual({ role: 'tool', tool_call_id: '3', content: 'Error: No such city.\n\nTry another.' });
  });

  it('without words have the content null', () => {
    const bare = request({
      messages: [say(Role.USER, 'Hi'), message(Role.ASSISTANT, call('1', 'f')), result('1', [])],
    });
    expect(chatBody('gpt-4.1', bare)['messages']).toMatchObject([
      {},
      { role: 'assistant', content: null },
      { role: 'tool', content: '' },
    ]);
  });
});
