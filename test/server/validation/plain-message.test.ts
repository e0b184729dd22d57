import { create } from '@bufbuild/protobuf';
import type { DescMessage } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';

import { Role } from '../../../gen/understudy/v1/chat_pb.ts';
import { ChatRequestSchema, GenerateRequestSchema } from '../../../gen/understudy/v1/llm_pb.ts';
import { collectViolations } from '../../../src/server/port/violations.ts';
import { checkPlainMessage } from '../../../src/server/validation/plain-message.ts';

function fields(request: unknown, schema: DescMessage = ChatRequestSchema): readonly string[] {
  return collectViolations((report) => checkPlainMessage(schema, request, report)).map(({ field }) => field);
}

const text = (value: unknown) => ({ part: { case: 'text', value } });
const said = (...content: unknown[]) => ({ messages: [{ role: Role.USER, content }] });
const options = (own: unknown) => ({ options: own });

describe('an object is a message of the contract', () => {
  test.each<[string, unknown]>([
    ['with nothing', {}],
    ['with a text', said(text('Hello'))],
    [
      'with fields that are not set',
      { model: undefined, options: null, messages: [{ content: [{ part: undefined }] }] },
    ],
    ['with a part that has no case', said({ part: { case: undefined } })],
    ['with numbers of every kind', options({ seed: 2n ** 63n - 1n, maxTokens: 2 ** 31 - 1, temperature: 0.5 })],
    ['with a duration', { routing: { firstOutputTimeout: { seconds: 3n, nanos: 0 }, targets: ['a', 'b'] } }],
    ['with bytes', said({ part: { case: 'file', value: { data: Buffer.from('a'), mediaType: 'text/csv' } } })],
    [
      'with JSON of a provider',
      options({ providerOptions: { openai: { a: [1, 'b', null, true, { c: undefined }] } } }),
    ],
    ['with an enum that a later version has', { messages: [{ role: 77, content: [] }] }],
    ['as `create` makes it', create(ChatRequestSchema, { messages: [{ role: Role.USER }], options: { stop: ['x'] } })],
    ['without a prototype', Object.assign(Object.create(null) as object, { model: 'm' })],
  ])('%s', (_, request) => {
    expect(fields(request)).toEqual([]);
  });

  test('of each method by itself', () => {
    expect(fields({ prompt: 'x', system: 'y' }, GenerateRequestSchema)).toEqual([]);
    expect(fields({ prompt: 'x', messages: [] }, GenerateRequestSchema)).toEqual(['messages']);
  });
});

describe('an object is none, which is told with each field', () => {
  test.each<[string, unknown, readonly string[]]>([
    ['a text', 'Hello', ['request']],
    ['nothing', null, ['request']],
    ['a list', [], ['request']],
    ['a number as model', { model: 5 }, ['model']],
    ['a text as messages', { messages: 'Hello' }, ['messages']],
    ['an object as messages', { messages: { 0: {} } }, ['messages']],
    ['nothing as a message', { messages: [null, undefined] }, ['messages[0]', 'messages[1]']],
    ['the name of a role', { messages: [{ role: 'ROLE_USER' }] }, ['messages[0].role']],
    ['half a character as text', said(text('a\ud800')), ['messages[0].content[0].text']],
    [
      'half a character in the JSON of a provider',
      options({ providerOptions: { openai: { a: ['\udc00'] } } }),
      ['options.provider_options["openai"]["a"][0]'],
    ],
    ['a Map as labels', { labels: new Map([['a', 'b']]) }, ['labels']],
    ...[new Map([['a', 1]]), new Set([1]), new Uint8Array(2), Object(5), Object('x'), /x/, Promise.resolve()].map(
      (value: unknown): [string, unknown, readonly string[]] => [
        `${Object.prototype.toString.call(value)} in the JSON of a provider`,
        options({ providerOptions: { openai: { a: value } } }),
        ['options.provider_options["openai"]["a"]'],
      ],
    ),
    ['a Map as the JSON of a provider', options({ providerOptions: new Map() }), ['options.provider_options']],
    ['a number as text', said(text(7)), ['messages[0].content[0].text']],
    ['a text that is not set', said(text(undefined)), ['messages[0].content[0].text']],
    ['a part of protobuf JSON', said({ text: 'Hello' }), ['messages[0].content[0].text']],
    ['a text as part', said('Hello'), ['messages[0].content[0]']],
    ['a kind that there is not', said({ part: { case: 'sound', value: {} } }), ['messages[0].content[0].part']],
    ['no case at all', said({ part: 'Hello' }), ['messages[0].content[0].part']],
    ['a text as bytes', said({ part: { case: 'file', value: { data: 'a' } } }), ['messages[0].content[0].file.data']],
    ['a number as seed', options({ seed: 5 }), ['options.seed']],
    ['a seed above 64 bits', options({ seed: 2n ** 63n }), ['options.seed']],
    ['texts as numbers', options({ maxTokens: '5', topP: '1' }), ['options.max_tokens', 'options.top_p']],
    ['a part of a token', options({ maxTokens: 1.5 }), ['options.max_tokens']],
    ['more than 32 bits', options({ maxTokens: 2 ** 31 }), ['options.max_tokens']],
    ['no number', options({ maxTokens: Number.NaN }), ['options.max_tokens']],
    ['one text as stops', options({ stop: 'x' }), ['options.stop']],
    ['a text as a flag', options({ parallelToolCalls: 'yes' }), ['options.parallel_tool_calls']],
    ['the name of a field in proto', options({ max_tokens: 5 }), ['options.max_tokens']],
    ['a field that there is not', { modle: 'gpt' }, ['modle']],
    ['a number as label', { labels: { team: 5 } }, ['labels["team"]']],
    ['a list as labels', { labels: ['team'] }, ['labels']],
    ['milliseconds as a duration', { routing: { firstOutputTimeout: 500 } }, ['routing.first_output_timeout']],
    [
      'what is no JSON in that of a provider',
      options({ providerOptions: { openai: { a: 1n, b: () => 1, c: new Date(0) }, ollama: 7 } }),
      ['a', 'b', 'c']
        .map((name) => `options.provider_options["openai"]["${name}"]`)
        .concat('options.provider_options["ollama"]'),
    ],
  ])('%s', (_, request, expected) => {
    expect(fields(request)).toEqual(expected);
  });
});

describe('an object without end', () => {
  test('in the JSON of a provider is told once', () => {
    const endless: Record<string, unknown> = {};
    endless['a'] = endless;
    endless['b'] = endless;
    const told = fields(options({ providerOptions: { openai: endless } }));
    expect(told).toEqual([expect.stringMatching(/^options\.provider_options\["openai"\]\["a"\]/)]);
  });

  test('of messages is told once', () => {
    const result: { part: { case: string; value: { content: unknown[] } } } = {
      part: { case: 'toolResult', value: { content: [] } },
    };
    result.part.value.content.push(result, result);
    const told = fields({ messages: [{ role: Role.TOOL, content: [result] }] });
    expect(told).toEqual([expect.stringMatching(/^messages\[0\]\.content\[0\]\.tool_result\.content\[0\]/)]);
  });

  test('is refused by its number of fields as at the doors', () => {
    const messages = Array.from({ length: 20_000 }, () => ({ role: Role.USER, content: [text('x')] }));
    expect(fields({ messages })).toHaveLength(1);
    expect(fields({ messages: messages.slice(0, 10_000) })).toEqual([]);
  });
});
