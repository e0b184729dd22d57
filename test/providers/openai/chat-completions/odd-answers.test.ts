import { describe, expect, it } from 'vitest';
import type { AdapterEvent } from '../../../../src/providers/port/adapter.ts';
import { openai } from '../../../../src/providers/openai.ts';
import { answer, deltas } from '../../../support/chat-samples.ts';

const adapter = openai('chat_completions');

/** Both ways in which a message may come: whole, and as the one delta of a stream. */
const WAYS = [
  [
    'whole',
    (message: unknown, reason: unknown = 'stop') => {
      const text = JSON.stringify({ id: 'c-1', choices: [{ index: 0, message, finish_reason: reason }] });
      return adapter.response(JSON.parse(text), text);
    },
  ],
  [
    'streamed',
    (message: unknown, reason: unknown = 'stop') => {
      const read = adapter.events();
      return [
        { id: 'c-1', choices: [{ index: 0, delta: message }] },
        { id: 'c-1', choices: [{ index: 0, delta: {}, finish_reason: reason }] },
      ].flatMap((chunk) => read({ name: '', data: JSON.stringify(chunk) }));
    },
  ],
] as const;

/** Reads data of events, as they stand. */
function lines(...data: readonly string[]): readonly AdapterEvent[] {
  const read = adapter.events();
  return data.flatMap((text) => read({ name: '', data: text }));
}

function called(value: unknown) {
  return { content: null, tool_calls: [{ index: 0, id: 'a', type: 'function', function: value }] };
}

const HEL = '{"choices":[{"index":0,"delta":{"content":"Hel"}}]}';
const LO = '{"choices":[{"index":0,"delta":{"content":"lo"}}]}';
const STOP = '{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}';

describe.each(WAYS)('an answer of Chat Completions that comes %s', (_, read) => {
  it.each([
    ['an object', { city: 'Rome', n: 1.5 }, '{"city":"Rome","n":1.5}'],
    ['a list', [1], '[1]'],
    ['a text', '{ "n": 1.0 }', '{ "n": 1.0 }'],
    ['the empty text', '', '{}'],
    ['null', null, '{}'],
    ['the word null', 'null', '{}'],
    ['blanks', ' \n', ' \n{}'],
    ['nothing', undefined, '{}'],
  ])('may have %s for the arguments of a call', (_kind, given, expected) => {
    const events = read(called({ name: 'f', arguments: given }), 'tool_calls');
    const [call] = answer(events).calls;
    expect(JSON.parse(call?.arguments ?? '')).toEqual(JSON.parse(expected));
    expect(call).toMatchObject({ id: 'a', name: 'f' });
    expect(answer(events).finish).toMatchObject({ reason: 'TOOL_CALLS' });
  });

  it('may have the older form of a call', () => {
    const { calls, finish } = answer(read({ function_call: { name: 'f', arguments: '{"n":1}' } }, 'function_call'));
    expect(calls).toEqual([{ id: 'call_c1_1', name: 'f', arguments: '{"n":1}' }]);
    expect(finish).toEqual({ type: 'finish', reason: 'TOOL_CALLS', raw: 'function_call' });
  });

  it.each([
    ['an object instead of a list', { id: 'a', function: { name: 'f', arguments: '{}' } }],
    ['no envelope', [{ id: 'a', name: 'f', arguments: '{}' }]],
    ['an index as a text', [{ index: '0', id: 'a', function: { name: 'f', arguments: '{}' } }]],
    ['null among them', [null, { index: null, id: 'a', function: { name: 'f', arguments: '{}' } }]],
  ])('may have calls in another form: %s', (_form, calls) => {
    expect(answer(read({ tool_calls: calls }))).toMatchObject({
      calls: [{ id: 'a', name: 'f', arguments: '{}' }],
      finish: { reason: 'TOOL_CALLS' },
    });
  });

  it.each([
    [{ id: '', function: { arguments: null } }],
    [{ id: 'a', function: { name: '', arguments: '' } }],
    [{ id: 'a', function: { name: null, arguments: '{}' } }],
    [{}],
  ])('has no call where none has a name: %j', (call) => {
    for (const reason of ['stop', 'tool_calls']) {
      const events = read({ content: 'Hi', tool_calls: [{ index: 0, ...call }] }, reason);
      expect(answer(events)).toMatchObject({ text: 'Hi', calls: [], finish: { reason: 'STOP', raw: reason } });
    }
  });

  it('fails where a call without a name has arguments', () => {
    const events = read({ tool_calls: [{ index: 0, id: 'a', function: { arguments: '{"n":1}' } }] });
    expect(answer(events)).toMatchObject({ failure: { class: 'protocol' } });
    expect(events.at(-1)?.type).toBe('failure');
  });

  it('may have its content in parts', () => {
    const content = [
      { type: 'thinking', thinking: [{ type: 'text', text: 'a gree' }, 'ting'] },
      { type: 'text', text: 'Hello ' },
      { type: 'reference', reference_ids: [1] },
      'dear ',
      { type: 'output_text', text: { value: 'you.' } },
      { type: 'refusal', refusal: ' No more.' },
    ];
    expect(answer(read({ content }))).toMatchObject({
      text: 'Hello dear you. No more.',
      reasoning: 'a greeting',
      finish: { type: 'finish', reason: 'REFUSAL', raw: 'stop' },
    });
  });

  it('may consist of a part of a kind that nobody knows', () => {
    const events = read({ content: [{ type: 'hologram', light: 1 }] });
    expect(answer(events)).toMatchObject({ text: '', finish: { reason: 'STOP', doubts: ['unknown_output'] } });
    expect(events).toContainEqual({ type: 'unknown' });
  });

  it.each([
    [{ reasoning: ['H', { text: 'm' }] }, 'Hm'],
    [{ reasoning: { content: 'Hm' } }, 'Hm'],
    [{ reasoning_content: [{ type: 'summary_text', text: 'Hm' }], reasoning: 'not this' }, 'Hm'],
    [{ reasoning: 7 }, '7'],
    [{ reasoning: false }, ''],
  ])('may have reasoning as %j', (message, expected) => {
    expect(answer(read({ ...message, content: 'Hi' }))).toMatchObject({ text: 'Hi', reasoning: expected });
  });

  it.each([
    [4, '4'],
    [true, 'true'],
    [{ type: 'text', text: 'Hi' }, 'Hi'],
  ])('may have %j where a text is expected', (content, expected) => {
    expect(answer(read({ content })).text).toBe(expected);
  });

  it.each([
    { content: [{ type: 'text', text: { bold: 'x' } }] },
    { content: 'Hi', refusal: { why: 1 } },
    { content: 'Hi', tool_calls: 'none' },
    { content: 'Hi', tool_calls: [7] },
  ])('fails where words or calls cannot be read: %j', (message) => {
    expect(answer(read(message))).toMatchObject({ finish: undefined, failure: { class: 'protocol' } });
  });

  it('makes ids for calls that have none', () => {
    const one = { function: { name: 'f', arguments: '{}' } };
    const ids = answer(read({ tool_calls: [one, { ...one, id: null }] })).calls.map(({ id }) => id);
    expect(ids).toEqual(['call_c1_1', 'call_c1_2']);
  });
});

describe('numbers in arguments that are objects', () => {
  const args = '{"id":2512292042121000001,"n":1.0,"e":1e3,"list":[{"deep":-0}],"s":"12345678901234567"}';

  it('keep their digits', () => {
    const call = `"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":${args}}}]`;
    const streamed = lines(`{"choices":[{"index":0,"delta":{${call}}}]}`, STOP);
    const text = `{"choices":[{"index":0,"message":{${call}},"finish_reason":"stop"}]}`;
    for (const events of [streamed, adapter.response(JSON.parse(text), text)]) {
      expect(answer(events).calls).toEqual([{ id: 'a', name: 'f', arguments: args }]);
    }
  });
});

describe('which choice counts', () => {
  it.each([[null], ['0'], [undefined], ['first']])('is also one of index %j', (index) => {
    const choice = { index, delta: { content: 'Hi' }, finish_reason: 'stop' };
    expect(answer(lines(JSON.stringify({ choices: [choice] })))).toMatchObject({
      text: 'Hi',
      finish: { reason: 'STOP' },
    });
    const json = { choices: [{ index, message: { content: 'Hi' }, finish_reason: 'stop' }] };
    expect(answer(adapter.response(json))).toMatchObject({ text: 'Hi', finish: { reason: 'STOP' } });
  });

  it('may write a message where a delta belongs, or a bare text', () => {
    const message = '{"choices":[{"index":0,"message":{"content":"Hi"},"finish_reason":"stop"}]}';
    expect(answer(lines(message))).toMatchObject({ text: 'Hi', finish: { reason: 'STOP' } });
    expect(answer(lines('{"choices":[{"text":"H"}]}', '{"choices":[{"text":"i"}]}', STOP)).text).toBe('Hi');
    // One that repeats the deltas adds nothing.
    expect(answer(lines(HEL, LO, message.replace('Hi', 'Hello'))).text).toBe('Hello');
  });
});

describe('fragments of calls', () => {
  function fragments(...calls: readonly object[]) {
    const chunks = calls.map((call) => JSON.stringify({ choices: [{ index: 0, delta: { tool_calls: [call] } }] }));
    return answer(lines(...chunks, STOP)).calls.map(({ name, arguments: text }) => `${name}${text}`);
  }

  it('find their call by id where they have no index, and begin with a name that comes late', () => {
    const begun = (id: string, name: string) => ({ index: null, id, function: { name, arguments: '' } });
    const more = (id: string, text: string) => ({ index: null, id, function: { arguments: text } });
    expect(fragments(begun('a', 'f'), begun('b', 'g'), more('a', '[1]'), more('b', '[2]'))).toEqual(['f[1]', 'g[2]']);
    const late = { index: 0, function: { name: 'h' } };
    expect(
      fragments({ index: 0, id: 'a', function: { arguments: '[' } }, late, { index: 0, function: { arguments: ']' } }),
    ).toEqual(['h[]']);
  });

  it('may spell null in pieces, and blanks without end', () => {
    const piece = (text: string) => ({ index: 0, function: { arguments: text } });
    const begun = { index: 0, id: 'a', function: { name: 'f' } };
    expect(fragments(begun, piece('nu'), piece('ll'))).toEqual(['f{}']);
    expect(fragments(begun, piece('nu'))).toEqual(['fnu']);
    const blanks = Array.from({ length: 1_000 }, () => piece(' '));
    expect(fragments(begun, ...blanks, piece('{"n":1}'))[0]?.replaceAll(' ', '')).toBe('f{"n":1}');
  });
});

describe('data of an event that are no document', () => {
  it.each([
    ['null between them', [HEL, 'null', LO, STOP, 'null', '[DONE]']],
    ['the end marker glued to one', [HEL, LO, `${STOP}[DONE]`]],
    ['the end marker in the next line', [HEL, LO, `${STOP}\n[DONE]`]],
    ['several documents', [`${HEL}\n${LO}\n${STOP}`]],
    ['data: twice', [`data: ${HEL}`, `data: ${LO}`, STOP, 'data: [DONE]']],
    ['the end marker in quotes', [HEL, LO, STOP, '"[DONE]"']],
  ])('are read where each document is whole: %s', (_, data) => {
    expect(answer(lines(...data))).toMatchObject({ text: 'Hello', finish: { reason: 'STOP' }, failure: undefined });
  });

  it('end an answer with the glued marker alone', () => {
    expect(answer(lines(HEL, `${LO}[DONE]`))).toMatchObject({ text: 'Hello', finish: { reason: 'OTHER' } });
    expect(answer(lines(HEL, '{"choices":[{"index":0,"delta":{"content":"lo[DONE]')).failure).toMatchObject({
      class: 'protocol',
    });
  });
});

describe('an error within an answer', () => {
  it.each([
    [{ code: 429, message: 'secret' }, 'rate_limit'],
    [{ code: 'insufficient_quota', message: 'secret' }, 'quota'],
    [{ code: 502, message: 'secret' }, 'overload'],
    ['secret', 'overload'],
  ])('may stand in the choice: %j', (error, failureClass) => {
    const choice = { index: 0, finish_reason: 'error', message: { content: '' }, error };
    const events = adapter.response({ choices: [choice] });
    expect(events).toMatchObject([{ type: 'failure', failure: { class: failureClass } }]);
    const streamed = lines(HEL, JSON.stringify({ choices: [{ index: 0, delta: { content: '' }, error }] }), '[DONE]');
    expect(answer(streamed)).toMatchObject({ text: 'Hel', finish: undefined, failure: { class: failureClass } });
    expect(JSON.stringify([events, streamed])).not.toContain('secret');
  });

  it('may stand alone, without an envelope', () => {
    expect(answer(lines('{"code":429,"message":"secret","type":"x"}')).failure).toMatchObject({ class: 'rate_limit' });
    expect(answer(lines('{"message":"only words"}')).failure).toBeUndefined();
  });
});

describe('a whole answer without a finish reason that anybody knows', () => {
  it.each([
    [undefined, ''],
    [null, ''],
    ['', ''],
    ['something_new', 'something_new'],
  ])('ends with its body: %j', (reason, raw) => {
    const json = { choices: [{ index: 0, message: { content: 'Hi' }, finish_reason: reason }] };
    expect(answer(adapter.response(json))).toMatchObject({
      text: 'Hi',
      finish: { reason: 'OTHER', raw, doubts: ['unknown_finish_reason'] },
    });
  });

  it.each([undefined, null, ''])('is none where it says nothing either (%j)', (reason) => {
    const json = { choices: [{ index: 0, message: { content: '' }, finish_reason: reason }] };
    expect(adapter.response(json)).toMatchObject([{ type: 'failure', failure: { class: 'protocol' } }]);
  });
});

it('tells a call in the first piece that has its name, with an id', () => {
  const events = lines(
    '{"id":"x","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"arguments":""}}]}}]}',
    '{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"[1]"}}]}}]}',
    STOP,
  );
  expect(deltas(events)).toEqual([
    { kind: 'tool_call', index: 0, id: 'a', name: 'f', argumentsFragment: '[1]' },
    { kind: 'part_finished', index: 0 },
  ]);
});
