import { describe, expect, it } from 'vitest';
import type { AdapterEvent } from '../../../../src/providers/port/adapter.ts';
import { openai } from '../../../../src/providers/openai.ts';
import { answer, deltas } from '../../../support/chat-samples.ts';

const adapter = openai('responses');

type Fields = Readonly<Record<string, unknown>>;

type StreamEvent = readonly [type: string, fields: Fields];

/** Sends events with their names, as the API does. */
function stream(...events: readonly StreamEvent[]): readonly AdapterEvent[] {
  const read = adapter.events();
  return events.flatMap(([type, fields]) => read({ name: type, data: JSON.stringify({ type, ...fields }) }));
}

function whole(json: unknown): readonly AdapterEvent[] {
  const text = JSON.stringify(json);
  return adapter.response(JSON.parse(text), text);
}

function completed(output?: readonly unknown[], more: Fields = {}) {
  return ['response.completed', { response: { id: 'resp_1', status: 'completed', output, ...more } }] as const;
}

/** The events of a message that is named by its id alone. */
function message(id: string, ...pieces: readonly string[]) {
  const item = { type: 'message', id, content: [{ type: 'output_text', text: pieces.join('') }] };
  const events = [
    ['response.output_item.added', { item: { type: 'message', id, content: [] } }],
    ['response.content_part.added', { item_id: id, part: { type: 'output_text', text: '' } }],
    ...pieces.map((delta) => ['response.output_text.delta', { item_id: id, delta }] as const),
    ['response.output_text.done', { item_id: id, text: pieces.join('') }],
    ['response.content_part.done', { item_id: id, part: item.content[0] }],
    ['response.output_item.done', { item }],
  ] as const;
  return { item, events };
}

/** The events of a call that is named by its id alone; `argumentsIn`: where its arguments stand. */
function call(id: string, text: string, argumentsIn: 'deltas' | 'arguments' | 'item' | 'response') {
  const empty = { type: 'function_call', id, call_id: `call_${id}`, name: 'f', arguments: '' };
  const item = { ...empty, arguments: text };
  const half = Math.floor(text.length / 2);
  const pieces = argumentsIn === 'deltas' ? [text.slice(0, half), text.slice(half)] : [];
  const events = [
    ['response.output_item.added', { item: empty }],
    ...pieces.map((delta) => ['response.function_call_arguments.delta', { item_id: id, delta }] as const),
    ['response.function_call_arguments.done', { item_id: id, arguments: argumentsIn === 'arguments' ? text : '' }],
    ['response.output_item.done', { item: argumentsIn === 'item' ? item : empty }],
  ] as const;
  return { item, events };
}

describe('a stream that names its items by their ids alone', () => {
  it('tells every text once', () => {
    const { item, events } = message('msg_1', 'Hel', 'lo');
    expect(answer(stream(...events, completed([item])))).toMatchObject({ text: 'Hello', finish: { reason: 'STOP' } });
    expect(deltas(stream(...events, completed([item])))).toHaveLength(3);
  });

  it.each([1, 3])('tells the end of a text that its pieces lack, whichever of %s events has it first', (from) => {
    const { events } = message('msg_1', 'Hello');
    const piece: StreamEvent = ['response.output_text.delta', { item_id: 'msg_1', delta: 'Hel' }];
    const added = events.filter(([type]) => type === 'response.output_item.added');
    const ends = events.filter(([type]) => type.endsWith('.done')).slice(from - 1);
    const { item } = message('msg_1', 'Hello');
    expect(answer(stream(...added, piece, ...ends, completed([item])))).toMatchObject({ text: 'Hello' });
    expect(answer(stream(...added, piece, completed([item])))).toMatchObject({ text: 'Hello' });
  });

  it('keeps two messages and two calls apart, whose events are mixed', () => {
    const [one, two] = [message('msg_1', 'One. '), message('msg_2', 'Two.')];
    const [left, right] = [call('fc_1', '{"a":1}', 'deltas'), call('fc_2', '{"b":2}', 'deltas')];
    const mixed = left.events.flatMap((event, index) => [event, right.events[index] ?? event]);
    const read = answer(
      stream(...one.events, ...two.events, ...mixed, completed([one.item, two.item, left.item, right.item])),
    );
    expect(read).toMatchObject({
      text: 'One. Two.',
      calls: [
        { id: 'call_fc_1', arguments: '{"a":1}' },
        { id: 'call_fc_2', arguments: '{"b":2}' },
      ],
      finish: { reason: 'TOOL_CALLS' },
    });
  });

  it('may give all items the index 0', () => {
    const at0 = ({ events }: ReturnType<typeof call> | ReturnType<typeof message>) =>
      events.map(([type, fields]) => [type, { ...fields, output_index: 0 }] as const);
    const [text, left, right] = [message('msg_1', 'Hi'), call('fc_1', '[1]', 'deltas'), call('fc_2', '[2]', 'deltas')];
    const read = answer(
      stream(...at0(text), ...at0(left), ...at0(right), completed([text.item, left.item, right.item])),
    );
    expect(read.text).toBe('Hi');
    expect(read.calls.map((made) => made.arguments)).toEqual(['[1]', '[2]']);
  });
});

describe('a stream that names its items by neither', () => {
  it('is read in its order', () => {
    const bare = (fields: Fields) => {
      const { item_id: _, ...rest } = fields;
      const { id: __, ...item } = (rest['item'] ?? {}) as Fields;
      return 'item' in rest ? { ...rest, item } : rest;
    };
    const [text, made] = [message('msg_1', 'Hel', 'lo'), call('fc_1', '{"a":1}', 'deltas')];
    const events = [...text.events, ...made.events].map(([type, fields]) => [type, bare(fields)] as const);
    const end = completed([bare({ item: text.item })['item'], bare({ item: made.item })['item']]);
    expect(answer(stream(...events, end))).toMatchObject({
      text: 'Hello',
      calls: [{ id: 'call_fc_1', name: 'f', arguments: '{"a":1}' }],
    });
  });

  it('is not doubled by a response whose ids are others', () => {
    const { events } = message('msg_1', 'Hello');
    expect(answer(stream(...events, completed([message('other', 'Hello').item]))).text).toBe('Hello');
  });
});

describe('an id that changes with every event of an item', () => {
  it('is outdone by the index', () => {
    const at = { output_index: 0, content_index: 0 };
    const events = stream(
      ['response.output_item.added', { output_index: 0, item: { type: 'message', id: 'x1', content: [] } }],
      ['response.output_text.delta', { ...at, item_id: 'x2', delta: 'Hel' }],
      ['response.output_text.delta', { ...at, item_id: 'x3', delta: 'lo' }],
      ['response.output_text.done', { ...at, item_id: 'x4', text: 'Hello' }],
      ['response.output_item.done', { output_index: 0, item: message('x5', 'Hello').item }],
      completed([message('x6', 'Hello').item]),
    );
    expect(answer(events).text).toBe('Hello');
  });
});

describe('the arguments of a call', () => {
  it.each([[['{}', '{"a":', '1}']], [['{}']], [[' null']]])('may have something stand in for them: %j', (pieces) => {
    const { item } = call('fc_1', '{"a":1}', 'item');
    const events = pieces.map((delta): StreamEvent => {
      return ['response.function_call_arguments.delta', { item_id: 'fc_1', delta }];
    });
    const added: StreamEvent = ['response.output_item.added', { item: { ...item, arguments: '' } }];
    const done: StreamEvent = ['response.function_call_arguments.done', { item_id: 'fc_1', arguments: '{"a":1}' }];
    const read = answer(stream(added, ...events, done, completed([item])));
    expect(read.calls).toEqual([{ id: 'call_fc_1', name: 'f', arguments: '{"a":1}' }]);
  });

  it.each(['deltas', 'arguments', 'item', 'response'] as const)('may stand in the %s alone', (place) => {
    const made = call('fc_1', '{"a":1}', place);
    const read = answer(stream(...made.events, completed([made.item])));
    expect(read.calls).toEqual([{ id: 'call_fc_1', name: 'f', arguments: '{"a":1}' }]);
    expect(read.finish).toMatchObject({ reason: 'TOOL_CALLS' });
  });

  it('may be none, which is {}', () => {
    for (const none of ['', ' ', 'null']) {
      const made = call('fc_1', none, 'item');
      expect(answer(stream(...made.events, completed([made.item]))).calls[0]?.arguments.trim()).toBe('{}');
    }
    const json = { status: 'completed', output: [{ type: 'function_call', call_id: 'c', name: 'f' }] };
    expect(answer(whole(json)).calls).toEqual([{ id: 'c', name: 'f', arguments: '{}' }]);
  });

  it('may be an object, whose numbers keep their digits', () => {
    const item = '{"type":"function_call","call_id":"c","name":"f","arguments":{"id":2512292042121000001}}';
    const json = `{"status":"completed","output":[${item}]}`;
    const end = `{"type":"response.completed","response":${json}}`;
    const streamed = adapter.events()({ name: '', data: end });
    for (const events of [streamed, adapter.response(JSON.parse(json), json)]) {
      expect(answer(events).calls).toEqual([{ id: 'c', name: 'f', arguments: '{"id":2512292042121000001}' }]);
    }
  });

  it('that are told whole stay as they were told, and break off where they contradict what was told', () => {
    const begun: StreamEvent = [
      'response.output_item.added',
      { item: { type: 'function_call', id: 'x', call_id: 'c', name: 'f' } },
    ];
    const piece = (delta: string): StreamEvent => ['response.function_call_arguments.delta', { item_id: 'x', delta }];
    const done = (text: string): StreamEvent => [
      'response.function_call_arguments.done',
      { item_id: 'x', arguments: text },
    ];
    const read = (...events: readonly StreamEvent[]) => answer(stream(...events));
    expect(read(begun, piece('{"a":1}'), done('{"a": 1}'), completed()).calls[0]?.arguments).toBe('{"a":1}');
    expect(read(begun, piece('{"b'), done('{"a": 1}'), completed()).failure).toMatchObject({ class: 'protocol' });
  });

  it('may come before the name of the call', () => {
    const made = call('fc_1', '{"a":1}', 'deltas');
    const [, ...late] = made.events;
    expect(answer(stream(...late, completed([made.item]))).calls).toEqual([
      { id: 'call_fc_1', name: 'f', arguments: '{"a":1}' },
    ]);
  });
});

describe('words that no delta told', () => {
  const at = { output_index: 0, content_index: 0 };

  it.each([
    ['the end of the text', ['response.output_text.done', { ...at, text: 'Hi' }]],
    ['the end of the part', ['response.content_part.done', { ...at, part: { type: 'output_text', text: 'Hi' } }]],
    ['the end of the item', ['response.output_item.done', { output_index: 0, item: message('m', 'Hi').item }]],
    ['the end of the refusal', ['response.refusal.done', { ...at, refusal: 'Hi' }]],
  ] as const)('are read from %s', (_, event) => {
    expect(answer(stream(event, completed())).text).toBe('Hi');
    expect(answer(stream(event, event, completed([message('m', 'Hi').item]))).text).toBe('Hi');
  });

  it.each([
    ['response.reasoning_summary_text.done', { output_index: 0, summary_index: 0, text: 'Hm' }],
    ['response.reasoning_summary_part.done', { output_index: 0, summary_index: 0, part: { text: 'Hm' } }],
    ['response.reasoning_text.done', { ...at, text: 'Hm' }],
    ['response.content_part.done', { ...at, part: { type: 'reasoning_text', text: 'Hm' } }],
    ['response.output_item.done', { output_index: 0, item: { type: 'reasoning', summary: ['Hm'] } }],
  ] as const)('and are reasoning are read from %s', (type, fields) => {
    const item = { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm' }] };
    expect(answer(stream([type, fields], completed([item]))).reasoning).toBe('Hm');
  });

  it('are read from the response, also beside others that were told', () => {
    const [one, two] = [message('msg_1', 'One. '), message('msg_2', 'Two.')];
    expect(answer(stream(...one.events, completed([one.item, two.item]))).text).toBe('One. Two.');
  });

  it('may be of other types than texts, and break the answer off where they are no words', () => {
    const text = (delta: unknown) => ['response.output_text.delta', { ...at, delta }] as const;
    expect(answer(stream(text({ text: 'H' }), text(['i', 4]), completed())).text).toBe('Hi4');
    expect(answer(stream(text({ bold: 'H' }), completed())).failure).toMatchObject({ class: 'protocol' });
    expect(answer(whole({ status: 'completed', output: [{ type: 'message', content: 'Hi' }] })).text).toBe('Hi');
  });
});

describe('how a response ended', () => {
  const { events, item } = message('msg_1', 'Half');

  it('says its own status before the name of its event', () => {
    const more = { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } };
    expect(answer(stream(...events, completed([item], more))).finish).toEqual({
      type: 'finish',
      reason: 'LENGTH',
      raw: 'incomplete:max_output_tokens',
    });
    const failed = completed([item], { status: 'failed', error: { code: 'server_error' } });
    expect(answer(stream(...events, failed))).toMatchObject({ finish: undefined, failure: { class: 'overload' } });
    const underWay = completed([item], { status: 'in_progress' });
    expect(answer(stream(...events, underWay)).finish).toMatchObject({ reason: 'STOP' });
  });

  it.each([
    ['response.cancelled', {}],
    ['response.completed', { response: { status: 'cancelled' } }],
  ])('may be that it was cancelled: %s %j', (type, fields) => {
    expect(answer(stream(...events, [type, fields]))).toMatchObject({
      finish: undefined,
      failure: { class: 'overload' },
    });
  });

  it('is not known of a whole one that does not say it', () => {
    expect(answer(whole({ output: [item] }))).toMatchObject({
      text: 'Half',
      finish: { reason: 'OTHER', raw: '', doubts: ['unknown_finish_reason'] },
    });
    for (const status of ['queued', 'in_progress', undefined]) {
      expect(whole({ status, output: [] })).toMatchObject([{ type: 'failure', failure: { class: 'protocol' } }]);
    }
  });
});

describe('a response that was made in the background', () => {
  const reasoning = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'x' };
  const made = call('fc_1', '{"a":1}', 'item');

  it('is an answer once it is completed, also with calls of tools', () => {
    const body = {
      id: 'resp_1',
      background: true,
      error: null,
      incomplete_details: null,
      output: [reasoning, made.item],
    };
    expect(answer(whole({ ...body, status: 'completed', usage: null }))).toMatchObject({
      calls: [{ id: 'call_fc_1', name: 'f', arguments: '{"a":1}' }],
      finish: { type: 'finish', reason: 'TOOL_CALLS', raw: 'completed' },
      failure: undefined,
    });
  });

  it('may be queued at first, and told without the beginnings of its items', () => {
    const queued = ['response.queued', { response: { id: 'resp_1', model: 'm', status: 'queued' } }] as const;
    const { item, events } = call('fc_1', '{"a":1}', 'deltas');
    const read = answer(stream(queued, ...events.slice(1), completed([reasoning, item], { background: true })));
    expect(read).toMatchObject({
      model: 'm',
      calls: [{ id: 'call_fc_1', name: 'f' }],
      finish: { reason: 'TOOL_CALLS' },
    });
  });
});

describe('an error within a response', () => {
  it.each([
    ['response.failed', { response: { error: { code: 'rate_limit', message: 'secret' } } }],
    ['response.failed', { response: { error: { type: 'rate_limit_error', code: null, message: 'secret' } } }],
    ['response.failed', { response: { error: { code: 429, message: 'secret' } } }],
    ['response.failed', { response: { status_details: { error: { code: 'rate_limit_exceeded' } } } }],
    ['error', { code: 'rate_limit', message: 'secret', param: null }],
    ['error', { error: { type: 'invalid_request_error', code: 'rate_limit', message: 'secret' } }],
    ['error', { error: { type: 'tokens', code: 'rate_limit_exceeded', message: 'Request too large for m' } }],
    ['error', { error: { type: 'too_many_requests', message: 'secret' } }],
    ['response.error', { error: { type: 'requests', message: 'secret' } }],
    ['', { error: { code: 'ThrottlingException', message: 'secret' } }],
  ])('may be a limit of the rate: %s %j', (type, fields) => {
    const events = stream([type, fields], completed());
    expect(events).toMatchObject([{ type: 'failure', failure: { class: 'rate_limit' } }]);
    expect(JSON.stringify(events)).not.toContain('secret');
  });

  it('of a rate is of no use to repeat where the request is too large for it', () => {
    const error = { type: 'tokens', code: 'rate_limit_exceeded', message: 'Request too large for m' };
    expect(answer(stream(['error', { error }])).failure).toMatchObject({ repeatIsUseless: true });
  });

  it('goes by the name of its event before its type', () => {
    const data = '{"code":503,"message":"secret","type":"unavailable_error"}';
    expect(adapter.events()({ name: 'error', data })).toMatchObject([{ failure: { class: 'overload' } }]);
  });
});

describe('what nobody knows of a response', () => {
  it.each([
    [{ type: 'hologram' }],
    [{ type: 'custom_tool_call', call_id: 'c', name: 'f', input: 'x' }],
    [{ type: 'message', content: [{ type: 'hologram', light: 1 }] }],
  ])('is told to the caller: %j', (item) => {
    const doubts = ['unknown_output'];
    const events = stream(['response.output_item.done', { output_index: 0, item }], completed([item]));
    expect(events.filter(({ type }) => type === 'unknown').length).toBeGreaterThan(0);
    expect(answer(events)).toMatchObject({ text: '', finish: { reason: 'STOP', doubts } });
    expect(answer(whole({ status: 'completed', output: [item] })).finish).toMatchObject({ doubts });
  });

  it('is not null, glued markers or tools that run at the provider', () => {
    const read = adapter.events();
    const end = JSON.stringify({ type: 'response.completed', response: { status: 'completed', output: [] } });
    expect(read({ name: '', data: 'null' })).toEqual([]);
    expect(read({ name: '', data: `${end}[DONE]` })).toMatchObject([
      { type: 'finish', reason: 'STOP' },
      { type: 'end' },
    ]);
    const output = [{ type: 'program' }, { type: 'shell_call_output' }, { type: 'web_search_call' }];
    expect(answer(whole({ status: 'completed', output })).finish).toEqual({
      type: 'finish',
      reason: 'STOP',
      raw: 'completed',
    });
  });
});
