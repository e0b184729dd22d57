import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { Role, ToolChoiceMode } from '../../../gen/understudy/v1/chat_pb.ts';
import { ChatRequestSchema } from '../../../gen/understudy/v1/llm_pb.ts';
import { WarningCode } from '../../../gen/understudy/v1/routing_pb.ts';
import { parseJson, recordsOf } from '../../../src/providers/shared/json/value.ts';
import { ollama } from '../../../src/providers/ollama/chat-api.ts';
import { assembleMessage } from '../../../src/server/answers/assembled-answer.ts';
import type { ChatExtras, MessageInit } from '../../support/chat-parts.ts';
import {
  assistant,
  call,
  file,
  image,
  imageAt,
  reasoning,
  requestOf,
  result,
  results,
  tool,
  user,
} from '../../support/chat-parts.ts';
import { deltas, refusal, say, wire } from '../../support/chat-samples.ts';
import { loadRecordings } from '../../support/recordings.ts';

const TARGET = { name: 'local', provider: 'ollama', model: 'qwen3:14b', stream: true } as const;
const { AUTO, NONE, REQUIRED } = ToolChoiceMode;

const WEATHER = tool('weather', '{"type":"object","properties":{"city":{"type":"string"}}}', {
  description: 'Tells it.',
});
const CLOCK = tool('clock');

function translate(messages: MessageInit[], extras: ChatExtras = {}, model: string = TARGET.model) {
  return ollama.request(requestOf(messages, extras), { ...TARGET, model });
}

function sent(extras: ChatExtras) {
  return wire(translate([user('Hi')], extras));
}

describe('tools of Ollama', () => {
  it('are sent with what the server reads of a schema, which always is of an object', () => {
    const { body, warnings } = sent({ tools: [WEATHER, tool('shop', '{"required":["id"]}', { strict: true })] });
    expect(body['tools']).toEqual([
      {
        type: 'function',
        function: {
          name: 'weather',
          description: 'Tells it.',
          parameters: { type: 'object', properties: { city: { type: 'string' } } },
        },
      },
      {
        type: 'function',
        function: { name: 'shop', parameters: { type: 'object', properties: {}, required: ['id'] } },
      },
    ]);
    expect(warnings).toMatchObject([{ code: WarningCode.PARAMETER_DROPPED, field: 'tools[1].function.strict' }]);
  });

  it('are left out where none may be called, and cut to those that may', () => {
    const names = (toolChoice: ChatExtras['toolChoice']) =>
      recordsOf(sent({ tools: [WEATHER, CLOCK], ...(toolChoice && { toolChoice }) }).body['tools']).map(
        ({ function: definition }) => definition,
      );
    expect(names({ mode: AUTO })).toHaveLength(2);
    expect(names({ mode: AUTO, toolNames: ['clock'] })).toMatchObject([{ name: 'clock' }]);
    expect(sent({ tools: [WEATHER], toolChoice: { mode: NONE } }).body).not.toHaveProperty('tools');
  });

  it('cannot be required: another target may', () => {
    const chat = { tools: [WEATHER], toolChoice: { mode: REQUIRED, toolNames: ['weather'] } };
    expect(refusal(translate([user('Hi')], chat))).toMatchObject({ class: 'capability', field: 'tool_choice.mode' });
  });

  it('may be called together, whatever the caller wants, which the answer says', () => {
    const warned = (parallelToolCalls: boolean) => sent({ tools: [CLOCK], options: { parallelToolCalls } }).warnings;
    expect(warned(true)).toEqual([]);
    expect(warned(false)).toMatchObject([
      { code: WarningCode.PARAMETER_DROPPED, field: 'options.parallel_tool_calls' },
    ]);
  });
});

describe('messages of Ollama', () => {
  it('have arguments as objects, results with the name of their tool, and reasoning of their own', () => {
    const { body, warnings } = wire(
      translate([
        user('Hi'),
        assistant(
          reasoning('Hm. ', 'local', { type: 'thinking' }),
          reasoning('Secret', 'claude', { type: 'thinking' }),
          'Let me look.',
          call('a', 'weather', '{"city":"Oslo","id":9007199254740993}'),
          call('b', 'clock'),
        ),
        results(result('a', ['Rain', 'and wind']), result('b', ['broken'], true)),
      ]),
    );
    expect(JSON.stringify(body['messages'])).toContain('9007199254740993');
    expect(body['messages']).toMatchObject([
      { role: 'user', content: 'Hi' },
      {
        role: 'assistant',
        content: 'Let me look.',
        thinking: 'Hm. ',
        tool_calls: [
          { id: 'a', function: { name: 'weather', arguments: { city: 'Oslo' } } },
          { id: 'b', function: { name: 'clock', arguments: {} } },
        ],
      },
      { role: 'tool', content: 'Rain\n\nand wind', tool_call_id: 'a', tool_name: 'weather' },
      { role: 'tool', content: 'Error: broken', tool_call_id: 'b', tool_name: 'clock' },
    ]);
    expect(warnings).toMatchObject([
      { code: WarningCode.PROVIDER_STATE_DROPPED, field: 'messages[1].content[1].provider_state' },
    ]);
  });

  it('carry images as plain base64 beside the text', () => {
    const { body } = wire(translate([user('Look.', image(new Uint8Array([0, 255, 16])))]));
    expect(body['messages']).toEqual([{ role: 'user', content: 'Look.', images: ['AP8Q'] }]);
  });

  it.each([
    ['messages[0].content[0].image.url', user(imageAt('https://example.com/a.png'))],
    ['messages[0].content[0].file', user(file(new Uint8Array([1]), 'application/pdf'))],
  ])('refuse %s', (field, message) => {
    expect(refusal(translate([message]))).toMatchObject({ class: 'capability', field });
  });

  it('refuse images in results of tools', () => {
    const messages = [user('Hi'), assistant(call('a', 'look')), results(result('a', [image(new Uint8Array([1]))]))];
    expect(refusal(translate(messages))).toMatchObject({
      class: 'capability',
      field: 'messages[2].content[0].tool_result.content[0].image',
    });
  });

  it('refuse arguments that are no object', () => {
    const messages = [user('Hi'), assistant(call('a', 'look', '[1]')), results(result('a', ['x']))];
    expect(refusal(translate(messages))).toMatchObject({
      class: 'bad_request',
      field: 'messages[1].content[0].tool_call.arguments_json',
    });
  });

  it('ask for JSON, and JSON of a schema, but not of models that run elsewhere', () => {
    const jsonObject = { options: { responseFormat: { format: { case: 'jsonObject' as const, value: {} } } } };
    const value = { name: 'a', schemaJson: '{"type":"object"}' };
    const jsonSchema = { options: { responseFormat: { format: { case: 'jsonSchema' as const, value } } } };
    expect(sent(jsonObject).body['format']).toBe('json');
    expect(sent(jsonSchema).body['format']).toEqual({ type: 'object' });
    expect(refusal(translate([user('Hi')], jsonSchema, 'gpt-oss:120b-cloud'))).toMatchObject({
      class: 'capability',
      field: 'options.response_format',
    });
  });
});

const answers = loadRecordings().filter(({ dialect, kind, expect: { done } }) => {
  return dialect === 'ollama' && (kind === 'json' || (kind === 'ndjson' && done === true));
});

describe.skipIf(answers.length === 0)('recorded answers of Ollama (skipped without ../shared/fixtures)', () => {
  it.each(answers)('$id comes back unchanged as the next turn', ({ kind, body, expect: expected }) => {
    const read = ollama.events();
    const lines = body.split('\n');
    const events =
      kind === 'json' ? ollama.response(parseJson(body)) : lines.flatMap((data) => read({ name: '', data }));
    const answer = assembleMessage(deltas(events), TARGET.name);
    const messages = [say(Role.USER, 'Hi'), answer, say(Role.USER, 'Go on')];
    const { body: next, warnings } = wire(ollama.request(create(ChatRequestSchema, { messages }), TARGET));
    const turn = recordsOf(next['messages']).find(({ role }) => role === 'assistant');
    expect(turn?.['content'] ?? '').toBe(expected.text);
    expect(turn?.['thinking'] ?? '').toBe(expected.reasoning);
    const calls = recordsOf(turn?.['tool_calls']).map(({ function: details }) => details);
    expect(calls).toEqual(
      expected.tool_calls.map((made) => ({ name: made.name, arguments: parseJson(made.arguments) })),
    );
    expect(warnings).toEqual([]);
  });
});
