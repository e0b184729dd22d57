import { describe, expect, it } from 'vitest';
import { ReasoningEffort, Role } from '../../../gen/understudy/v1/chat_pb.ts';
import { WarningCode } from '../../../gen/understudy/v1/routing_pb.ts';
import type { AdapterTarget } from '../../../src/providers/port/adapter.ts';
import { anthropic } from '../../../src/providers/anthropic/messages-api.ts';
import { recordsOf } from '../../../src/providers/shared/json/value.ts';
import { assembleMessage } from '../../../src/server/answers/assembled-answer.ts';
import type { MessageInit } from '../../support/chat-parts.ts';
import {
  assistant,
  bytes,
  cached,
  call,
  file,
  image,
  imageAt,
  reasoning,
  requestOf,
  result,
  results,
  text,
  user,
} from '../../support/chat-parts.ts';
import { deltas, refusal, say, textPart, wire } from '../../support/chat-samples.ts';

const TARGET: AdapterTarget = { name: 'claude', provider: 'anthropic', model: 'claude-sonnet-5-5', stream: true };
const EPHEMERAL = { cache_control: { type: 'ephemeral' } };

function translate(...messages: MessageInit[]) {
  return anthropic.request(requestOf(messages), TARGET);
}

function messagesOf(...messages: MessageInit[]) {
  return wire(translate(...messages)).body['messages'];
}

describe('content blocks of the Messages API', () => {
  it('carry images by bytes and by address, and files as documents', () => {
    expect(
      messagesOf(
        user(
          image(new Uint8Array([0, 255, 16]), 'image/webp'),
          imageAt('https://example.com/a.png'),
          file(new Uint8Array([1, 2]), 'application/pdf', 'a.pdf'),
          file(bytes('# Ü'), 'text/markdown'),
          'Look.',
        ),
      ),
    ).toEqual([
      {
        role: 'user',
        content: [
          { type: 'image', source: { type: 'base64', media_type: 'image/webp', data: 'AP8Q' } },
          { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
          { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'AQI=' }, title: 'a.pdf' },
          { type: 'document', source: { type: 'text', media_type: 'text/plain', data: '# Ü' } },
          textPart('Look.'),
        ],
      },
    ]);
  });

  it('refuse files of other types, texts that are none, and more than a body may have', () => {
    const zip = user(file(new Uint8Array([1]), 'application/zip'));
    expect(refusal(translate(zip))).toMatchObject({
      class: 'capability',
      field: 'messages[0].content[0].file.media_type',
    });
    const garbled = user(file(new Uint8Array([255]), 'text/csv'));
    expect(refusal(translate(garbled))).toMatchObject({
      class: 'bad_request',
      field: 'messages[0].content[0].file.data',
    });
    const large = image(new Uint8Array(8_000_000));
    const inResult = results(result('c', [large]));
    const heavy = [user(large, large), assistant(call('c', 'look')), inResult];
    expect(refusal(translate(...heavy))).toMatchObject({
      class: 'capability',
      field: 'messages[2].content[0].tool_result.content[0].image',
    });
  });

  it('hold calls in their place, and all results of a turn first in one message of the user', () => {
    expect(
      messagesOf(
        user('Hi'),
        assistant('First', call('a', 'look', '{"at":[1,{"b":null}]}'), 'then', call('b.1', 'stop')),
        results(result('a', ['seen', image(new Uint8Array([1]))])),
        user('By the way'),
        results(result('b.1', [' '], true)),
      ),
    ).toEqual([
      { role: 'user', content: [textPart('Hi')] },
      {
        role: 'assistant',
        content: [
          textPart('First'),
          { type: 'tool_use', id: 'a', name: 'look', input: { at: [1, { b: null }] } },
          textPart('then'),
          { type: 'tool_use', id: 'b_2e_1', name: 'stop', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          {
            type: 'tool_result',
            tool_use_id: 'a',
            content: [
              textPart('seen'),
              { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AQ==' } },
            ],
          },
          { type: 'tool_result', tool_use_id: 'b_2e_1', is_error: true },
          textPart('By the way'),
        ],
      },
    ]);
  });

  it.each(['{', '[]', '"a"', 'null'])('refuse the arguments %s, which are no object', (argumentsJson) => {
    const chat = [user('Hi'), assistant(call('a', 'look', argumentsJson)), results(result('a', ['x']))];
    expect(refusal(translate(...chat))).toMatchObject({
      class: 'bad_request',
      reason: 'INVALID_REQUEST',
      field: 'messages[1].content[0].tool_call.arguments_json',
    });
  });

  it('give reasoning back unchanged and in its place, by its state', () => {
    const thinking = { type: 'thinking', signature: 'sig==', model: 'claude-sonnet-5-5-20260901' };
    const { body, warnings } = wire(
      translate(
        user('Hi'),
        assistant(
          reasoning('Hm. ', 'claude', thinking),
          reasoning('', 'claude', { type: 'redacted_thinking', data: 'xyz' }),
          reasoning('', 'claude', { type: 'thinking', signature: 'hidden' }),
          '\n\n',
          call('a', 'look'),
        ),
        results(result('a', ['seen'])),
      ),
    );
    expect(body['messages']).toContainEqual({
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'Hm. ', signature: 'sig==' },
        { type: 'redacted_thinking', data: 'xyz' },
        { type: 'thinking', thinking: '', signature: 'hidden' },
        { type: 'tool_use', id: 'a', name: 'look', input: {} },
      ],
    });
    expect(warnings).toEqual([]);
  });

  it('give reasoning that nobody has signed back to other servers, and not to Anthropic', () => {
    const events = anthropic.response({
      type: 'message',
      model: 'served',
      content: [
        { type: 'thinking', thinking: 'Hm.' },
        { type: 'tool_use', id: 'a', name: 'look', input: {} },
      ],
      stop_reason: 'tool_use',
    });
    const said = assembleMessage(deltas(events), 'claude');
    const asked = requestOf([user('Hi'), said, results(result('a', ['seen']))]);
    const [, elsewhere] = recordsOf(wire(anthropic.request(asked, { ...TARGET, ownHost: false })).body['messages']);
    const call = { type: 'tool_use', id: 'a', name: 'look', input: {} };
    expect(elsewhere?.['content']).toEqual([{ type: 'thinking', thinking: 'Hm.', signature: '' }, call]);
    const [, there] = recordsOf(wire(anthropic.request(asked, TARGET)).body['messages']);
    expect(there?.['content']).toEqual([call]);
  });

  it('leave out marks and later instructions where the server is known to take none', () => {
    const quirks = new Set(['no cache_control', 'system first', 'no display'] as const);
    const marked = requestOf(
      [user(cached(text('Hi'))), assistant('Yes?'), { ...user('Be brief.'), role: Role.SYSTEM }, user('Go on.')],
      { options: { reasoningEffort: ReasoningEffort.HIGH } },
    );
    const { body } = wire(anthropic.request(marked, { ...TARGET, ownHost: false, quirks }));
    expect(JSON.stringify(body)).not.toContain('cache_control');
    expect(recordsOf(body['messages']).map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    expect(body['system']).toEqual([{ type: 'text', text: 'Be brief.' }]);
    expect(body['thinking']).toEqual({ type: 'adaptive' });
  });

  it('leave out reasoning of another model, which this one would reject, and of another target', () => {
    const { body, warnings } = wire(
      translate(
        user('Hi'),
        assistant(
          reasoning('a', 'claude', { type: 'thinking', signature: 's', model: 'claude-opus-5-5' }),
          reasoning('b', 'gpt', { type: 'reasoning' }),
          'Two',
        ),
        user('Three'),
      ),
    );
    expect(body['messages']).toContainEqual({ role: 'assistant', content: [textPart('Two')] });
    expect(warnings.map(({ code, field }) => [code, field])).toEqual([
      [WarningCode.PROVIDER_STATE_DROPPED, 'messages[1].content[0].provider_state'],
      [WarningCode.PROVIDER_STATE_DROPPED, 'messages[1].content[1].provider_state'],
    ]);
  });

  it('refuse a state that the gateway never gave out', () => {
    const chat = [user('Hi'), assistant(reasoning('a', 'claude', { type: 'text' }), 'Two'), user('Three')];
    expect(refusal(translate(...chat))).toMatchObject({
      class: 'bad_request',
      field: 'messages[1].content[0].provider_state.data',
    });
  });

  it('are marked for the cache where the caller says so', () => {
    const { body, warnings } = wire(
      translate(
        { role: Role.SYSTEM, content: [cached(text('Be kind.'))] },
        user(cached(image(new Uint8Array([1])))),
        assistant(cached(call('a', 'look'))),
        results(cached(result('a', ['seen']))),
      ),
    );
    expect(body['system']).toEqual([{ ...textPart('Be kind.'), ...EPHEMERAL }]);
    expect(body['messages']).toMatchObject([
      { content: [{ type: 'image', ...EPHEMERAL }] },
      { content: [{ type: 'tool_use', ...EPHEMERAL }] },
      { content: [{ type: 'tool_result', ...EPHEMERAL }] },
    ]);
    expect(warnings).toEqual([]);
  });

  it('have at most four marks: the first and the last three, with a warning', () => {
    const { body, warnings } = wire(
      translate(user(...['1', '2', '3', '4', '5', '6'].map((part) => cached(text(part))))),
    );
    expect(body['messages']).toEqual([
      {
        role: 'user',
        content: [
          { ...textPart('1'), ...EPHEMERAL },
          textPart('2'),
          textPart('3'),
          { ...textPart('4'), ...EPHEMERAL },
          { ...textPart('5'), ...EPHEMERAL },
          { ...textPart('6'), ...EPHEMERAL },
        ],
      },
    ]);
    expect(warnings).toMatchObject([
      { code: WarningCode.PARAMETER_ADJUSTED, field: 'messages[0].content[1].cache_breakpoint' },
    ]);
  });

  it('come as JSON of a schema beside the effort, but never as JSON without one', () => {
    const format = (responseFormat: NonNullable<Parameters<typeof requestOf>[1]>['options']) =>
      anthropic.request(requestOf([user('Hi')], { options: { ...responseFormat } }), TARGET);
    const schema = { type: 'object', properties: { a: { const: 1 } }, additionalProperties: false };
    const jsonSchema = { case: 'jsonSchema' as const, value: { name: 'a', schemaJson: JSON.stringify(schema) } };
    const { body } = wire(format({ responseFormat: { format: jsonSchema }, reasoningEffort: ReasoningEffort.LOW }));
    expect(body['output_config']).toEqual({ effort: 'low', format: { type: 'json_schema', schema } });
    const jsonObject = { case: 'jsonObject' as const, value: {} };
    expect(refusal(format({ responseFormat: { format: jsonObject } }))).toMatchObject({
      class: 'capability',
      field: 'options.response_format',
    });
  });

  it('leave no message behind where they are blank', () => {
    expect(messagesOf(user('One'), say(Role.SYSTEM, ' '), assistant(' '), user('Two'))).toEqual([
      { role: 'user', content: [textPart('One'), textPart('Two')] },
    ]);
  });

  it.each([
    ['there is no other', [user(' \n')], 'messages[0].content[0].text'],
    ['there are several', [user('\t', ' ')], 'messages[0].content[1].text'],
    ['instructions alone are left', [say(Role.SYSTEM, 'Be kind.'), user(' ')], 'messages[1].content[0].text'],
    ['the assistant would speak last', [user('Hi'), assistant('Hello'), user(' ')], 'messages[2].content[0].text'],
    [
      'instructions stand behind it',
      [user('Hi'), assistant('Hello'), user(' '), say(Role.SYSTEM, 'Be kind.')],
      'messages[2].content[0].text',
    ],
  ])('are refused as the last words of the user where %s', (_, messages, field) => {
    expect(refusal(translate(...messages))).toMatchObject({
      class: 'capability',
      reason: 'UNSUPPORTED_PARAMETER',
      field,
    });
  });
});
