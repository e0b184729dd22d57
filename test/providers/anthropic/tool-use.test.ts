import { describe, expect, it } from 'vitest';
import { ReasoningEffort, ToolChoiceMode } from '../../../gen/understudy/v1/chat_pb.ts';
import { WarningCode } from '../../../gen/understudy/v1/routing_pb.ts';
import type { AdapterTarget } from '../../../src/providers/port/adapter.ts';
import { anthropic } from '../../../src/providers/anthropic/messages-api.ts';
import type { ChatExtras, PartInit } from '../../support/chat-parts.ts';
import { assistant, call, reasoning, requestOf, result, results, tool, user } from '../../support/chat-parts.ts';
import { refusal, wire } from '../../support/chat-samples.ts';

const WEATHER = tool('weather', '{"type":"object","properties":{"city":{"type":"string"}}}', {
  description: 'Tells the weather.',
});
const CLOCK = tool('clock');
const SHOP = tool('shop', '{}', { strict: true });

function target(model: string): AdapterTarget {
  return { name: 'claude', provider: 'anthropic', model, stream: true };
}

function sent(extras: ChatExtras, model = 'claude-sonnet-5-5') {
  return wire(anthropic.request(requestOf([user('Hi')], extras), target(model)));
}

function names(tools: unknown): readonly string[] {
  return Array.isArray(tools) ? tools.map(({ name }: { name: string }) => name) : [];
}

describe('tools of the Messages API', () => {
  it('are sent with description, schema and strictness, arguments always being an object', () => {
    const { body, warnings } = sent({ tools: [WEATHER, CLOCK, SHOP] });
    expect(body['tools']).toEqual([
      {
        name: 'weather',
        description: 'Tells the weather.',
        input_schema: { type: 'object', properties: { city: { type: 'string' } } },
      },
      { name: 'clock', input_schema: { type: 'object', properties: {}, additionalProperties: false } },
      { name: 'shop', input_schema: { type: 'object' }, strict: true },
    ]);
    expect(body).not.toHaveProperty('tool_choice');
    expect(warnings).toEqual([]);
  });

  it('keep the digits of numbers that no double can hold', () => {
    const schema = '{"type":"object","properties":{"id":{"maximum":9223372036854775807,"minimum":0.5}}}';
    expect(JSON.stringify(sent({ tools: [tool('find', schema)] }).body)).toContain(schema);
  });

  it('are refused where the schema is no JSON object', () => {
    const chat = requestOf([user('Hi')], { tools: [CLOCK, tool('broken', '[1]')] });
    expect(refusal(anthropic.request(chat, target('claude-sonnet-5-5')))).toMatchObject({
      class: 'bad_request',
      reason: 'INVALID_REQUEST',
      field: 'tools[1].function.parameters_json',
    });
  });

  const tools = [WEATHER, CLOCK, SHOP];
  const { AUTO, NONE, REQUIRED } = ToolChoiceMode;

  it.each([
    ['any of all', { mode: REQUIRED }, { type: 'any' }, ['weather', 'clock', 'shop']],
    [
      'one by name',
      { mode: REQUIRED, toolNames: ['clock'] },
      { type: 'tool', name: 'clock' },
      ['weather', 'clock', 'shop'],
    ],
    ['any of some', { mode: REQUIRED, toolNames: ['clock', 'shop'] }, { type: 'any' }, ['clock', 'shop']],
    ['none, the list kept', { mode: NONE, toolNames: ['clock'] }, { type: 'none' }, ['weather', 'clock', 'shop']],
    ['at will', { mode: AUTO }, undefined, ['weather', 'clock', 'shop']],
    ['at will of one', { mode: AUTO, toolNames: ['shop'] }, undefined, ['shop']],
  ])('are chosen: %s', (_name, toolChoice, choice, listed) => {
    const { body } = sent({ tools, toolChoice }, 'claude-haiku-4-5');
    expect(body['tool_choice']).toEqual(choice);
    expect(names(body['tools'])).toEqual(listed);
  });

  it('are called one at a time where the caller wants that', () => {
    const choice = (toolChoice: ChatExtras['toolChoice'], parallelToolCalls: boolean) =>
      sent({ tools, ...(toolChoice && { toolChoice }), options: { parallelToolCalls } }, 'claude-haiku-4-5').body[
        'tool_choice'
      ];
    expect(choice(undefined, false)).toEqual({ type: 'auto', disable_parallel_tool_use: true });
    expect(choice({ mode: REQUIRED }, false)).toEqual({ type: 'any', disable_parallel_tool_use: true });
    expect(choice(undefined, true)).toBeUndefined();
  });

  it.each(['claude-sonnet-5-5', 'claude-opus-5-5', 'claude-fable-5-2', 'claude-future-9'])(
    'cannot be forced on %s, which rejects that: another target may',
    (model) => {
      const chat = requestOf([user('Hi')], { tools, toolChoice: { mode: REQUIRED } });
      expect(refusal(anthropic.request(chat, target(model)))).toMatchObject({
        class: 'capability',
        field: 'tool_choice.mode',
      });
    },
  );

  it('are forced only without reasoning, which the answer says', () => {
    const toolChoice = { mode: REQUIRED };
    const high = { reasoningEffort: ReasoningEffort.HIGH };
    expect(sent({ tools, toolChoice }, 'claude-opus-5')).toMatchObject({
      body: { thinking: { type: 'disabled' }, tool_choice: { type: 'any' } },
      warnings: [],
    });
    const { body, warnings } = sent({ tools, toolChoice, options: high }, 'claude-haiku-5-5');
    expect(body).toMatchObject({ thinking: { type: 'disabled' } });
    expect(body).not.toHaveProperty('output_config');
    expect(warnings).toMatchObject([{ code: WarningCode.PARAMETER_DROPPED, field: 'options.reasoning_effort' }]);
  });

  it('that were called without reasoning are gone on with in the same way by models that insist on it', () => {
    const chat = (...before: readonly PartInit[]) =>
      requestOf([user('Hi'), assistant(...before, call('c1', 'clock')), results(result('c1', ['noon']))], {
        tools,
        options: { reasoningEffort: ReasoningEffort.HIGH, maxTokens: 9_000 },
      });
    const switched = wire(anthropic.request(chat(), target('claude-haiku-4-5')));
    expect(switched.body['thinking']).toEqual({ type: 'disabled' });
    expect(switched.warnings).toMatchObject([
      { code: WarningCode.PARAMETER_DROPPED, field: 'options.reasoning_effort' },
    ]);
    const own = reasoning('Hm', 'claude', { type: 'thinking', signature: 's' });
    expect(wire(anthropic.request(chat(own), target('claude-haiku-4-5'))).body['thinking']).toMatchObject({
      type: 'enabled',
    });
    expect(wire(anthropic.request(chat(), target('claude-sonnet-5-5'))).body['thinking']).toMatchObject({
      type: 'adaptive',
    });
  });
});
