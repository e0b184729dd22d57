import { describe, expect, it } from 'vitest';
import type { AdapterEvent } from '../../../../src/providers/port/adapter.ts';
import { openai } from '../../../../src/providers/openai.ts';
import { answer, deltas } from '../../../support/chat-samples.ts';

const adapter = openai('responses');
const MALFORMED = { type: 'failure', failure: { class: 'protocol', reason: 'PROVIDER_PROTOCOL_ERROR' } };

type Fields = Readonly<Record<string, unknown>>;

/** Sends events with their names, as the API does. */
function stream(...events: readonly (readonly [type: string, fields: Fields])[]): readonly AdapterEvent[] {
  const read = adapter.events();
  return events.flatMap(([type, fields]) => read({ name: type, data: JSON.stringify({ type, ...fields }) }));
}

const CREATED = ['response.created', { response: { id: 'resp_1', model: 'gpt-x', usage: null, error: null } }] as const;

function text(delta: string, outputIndex = 0) {
  return ['response.output_text.delta', { output_index: outputIndex, content_index: 0, delta }] as const;
}

function completed(more: Fields = {}) {
  return ['response.completed', { response: { id: 'resp_1', model: 'gpt-x', status: 'completed', ...more } }] as const;
}

function state(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

describe('a streamed answer of the Responses API', () => {
  it('is identity, text, usage, finish, end', () => {
    const usage = {
      input_tokens: 9,
      input_tokens_details: { cached_tokens: 4, cache_write_tokens: 2 },
      output_tokens: 3,
      output_tokens_details: { reasoning_tokens: 1 },
      total_tokens: 12,
    };
    const events = stream(
      CREATED,
      ['response.in_progress', { response: { id: 'resp_1', model: 'gpt-x' } }],
      ['response.output_item.added', { output_index: 0, item: { type: 'message', content: [] } }],
      text(''),
      text('Hel'),
      text('lo'),
      ['response.output_text.annotation.added', { output_index: 0 }],
      ['response.web_search_call.in_progress', { output_index: 1 }],
      ['response.output_text.done', { output_index: 0, content_index: 0, text: 'Hello' }],
      completed({ usage }),
      text('more'),
    );
    expect(events).toEqual([
      { type: 'identity', model: 'gpt-x', responseId: 'resp_1' },
      { type: 'delta', delta: { kind: 'text', index: 0, text: 'Hel' } },
      { type: 'delta', delta: { kind: 'text', index: 0, text: 'lo' } },
      { type: 'delta', delta: { kind: 'part_finished', index: 0 } },
      {
        type: 'usage',
        usage: {
          inputTokens: 9,
          cachedInputTokens: 4,
          cacheWriteTokens: 2,
          outputTokens: 3,
          reasoningTokens: 1,
          totalTokens: 12,
        },
      },
      { type: 'finish', reason: 'STOP', raw: 'completed' },
      { type: 'end' },
    ]);
  });

  it('reads function calls by their index, also where arguments come only at the end', () => {
    const item = (index: number, more: Fields) => ({
      output_index: index,
      item: { type: 'function_call', id: `fc_${index}`, call_id: `call_${index}`, name: 'f', ...more },
    });
    const events = stream(
      text('Look:'),
      ['response.output_item.added', item(1, { arguments: '' })],
      ['response.function_call_arguments.delta', { output_index: 1, item_id: 'fc_1', delta: '{"a":' }],
      ['response.function_call_arguments.delta', { output_index: 1, item_id: 'fc_1', delta: '1}' }],
      ['response.output_item.done', item(1, { arguments: '{"a":1}' })],
      ['response.output_item.added', item(2, { arguments: '' })],
      ['response.output_item.done', item(2, { arguments: '{"b":2}' })],
      completed(),
    );
    expect(answer(events)).toMatchObject({
      calls: [
        { id: 'call_1', name: 'f', arguments: '{"a":1}' },
        { id: 'call_2', name: 'f', arguments: '{"b":2}' },
      ],
      finish: { reason: 'TOOL_CALLS', raw: 'completed' },
    });
    expect(deltas(events).filter(({ kind }) => kind === 'part_finished')).toHaveLength(3);
  });

  it('keeps summaries apart and gives the state of the item with the last', () => {
    const summary = (index: number, delta: string) =>
      ['response.reasoning_summary_text.delta', { output_index: 0, summary_index: index, delta }] as const;
    const item = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'whole' };
    const events = stream(
      ['response.output_item.added', { output_index: 0, item: { ...item, encrypted_content: 'half' } }],
      summary(0, 'One'),
      summary(1, 'Two'),
      ['response.output_item.done', { output_index: 0, item }],
      text('Hi', 1),
      completed(),
    );
    expect(deltas(events)).toEqual([
      { kind: 'reasoning', index: 0, text: 'One' },
      { kind: 'part_finished', index: 0 },
      { kind: 'reasoning', index: 1, text: 'Two' },
      { kind: 'part_finished', index: 1, state: state(item) },
      { kind: 'text', index: 2, text: 'Hi' },
      { kind: 'part_finished', index: 2 },
    ]);
  });

  it('tells reasoning without words only with what follows it', () => {
    const item = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'x' };
    const done = ['response.output_item.done', { output_index: 0, item }] as const;
    expect(stream(done)).toEqual([]);
    const finished = { kind: 'part_finished', index: 0, state: state(item) };
    expect(deltas(stream(done, text('Hi', 1)))).toEqual([finished, { kind: 'text', index: 1, text: 'Hi' }]);
    expect(deltas(stream(done, completed()))).toEqual([finished]);
  });

  it('tells words that come only with the end of their message, and none twice', () => {
    const part = (words: string) => ({ type: 'output_text', text: words });
    const item = { type: 'message', content: [part('Hello'), part(' world'), { type: 'refusal', refusal: ' No.' }] };
    const read = answer(stream(text('Hello'), ['response.output_item.done', { output_index: 0, item }], completed()));
    expect(read).toMatchObject({ text: 'Hello world No.', finish: { reason: 'REFUSAL' } });
  });

  it('gives the words of a refusal as text', () => {
    const events = stream(
      ['response.refusal.delta', { output_index: 0, content_index: 0, delta: 'I cannot' }],
      completed(),
    );
    expect(answer(events)).toMatchObject({ text: 'I cannot', finish: { reason: 'REFUSAL', raw: 'completed' } });
  });

  it.each([
    ['max_output_tokens', 'LENGTH'],
    ['content_filter', 'CONTENT_FILTER'],
    ['max_tokens', 'LENGTH'],
    ['steered', 'OTHER'],
  ])('may be incomplete for %s: %s', (cause, reason) => {
    const response = { status: 'incomplete', incomplete_details: { reason: cause } };
    const events = stream(text('x'), ['response.incomplete', { response }]);
    const doubts = reason === 'OTHER' ? { doubts: ['unknown_finish_reason'] } : {};
    expect(events.slice(-2)).toEqual([
      { type: 'finish', reason, raw: `incomplete:${cause}`, ...doubts },
      { type: 'end' },
    ]);
  });

  it.each([
    ['response.failed', { response: { error: { code: 'server_error', message: 'secret' } } }, 'overload'],
    ['response.failed', { response: { error: { code: 'rate_limit_exceeded', message: 'secret' } } }, 'rate_limit'],
    ['response.failed', { response: { error: { code: 'invalid_prompt', message: 'secret' } } }, 'content'],
    ['response.failed', { response: { error: { code: 'invalid_image', message: 'secret' } } }, 'bad_request'],
    ['response.failed', { response: { error: null } }, 'overload'],
    ['error', { code: 'server_error', message: 'secret', param: null }, 'overload'],
    ['error', { error: { type: 'insufficient_quota', code: 'insufficient_quota', message: 'secret' } }, 'quota'],
    ['error', { error: { code: 'context_length_exceeded', message: 'secret' } }, 'capability'],
  ])('breaks off at %s %j', (type, fields, failureClass) => {
    const events = stream(text('x'), [type, fields], ['response.failed', { response: {} }], completed());
    expect(answer(events)).toMatchObject({ text: 'x', finish: undefined, failure: { class: failureClass } });
    expect(events.filter((event) => event.type === 'failure')).toHaveLength(1);
    expect(JSON.stringify(events)).not.toContain('secret');
  });

  it('is read from its end where no event told of it', () => {
    const output = [
      { type: 'message', content: [{ type: 'output_text', text: 'Hello' }] },
      { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
    ];
    const end = ['response.completed', { response: { status: 'completed', output } }] as const;
    expect(answer(stream(CREATED, end))).toMatchObject({ text: 'Hello', finish: { reason: 'TOOL_CALLS' } });
    expect(answer(stream(CREATED, text('x'), end)).text).toBe('x');
  });

  it('is truncated without its own marker, whatever else ends it', () => {
    const read = adapter.events();
    expect(read({ name: '', data: '[DONE]' })).toEqual([]);
    expect(read({ name: 'response.new_kind', data: '{"type":"response.new_kind"}' })).toEqual([{ type: 'unknown' }]);
    expect(answer(stream(CREATED, text('x'))).finish).toBeUndefined();
  });

  it.each(['{"type":', '[]', '7'])('calls %s malformed', (data) => {
    expect(adapter.events()({ name: 'response.created', data })).toMatchObject([MALFORMED]);
  });
});

describe('a whole answer of the Responses API', () => {
  it('reads like a streamed one', () => {
    const reasoning = {
      type: 'reasoning',
      summary: [{ type: 'summary_text', text: 'Hm' }],
      content: [{ type: 'reasoning_text', text: 'mm' }],
      encrypted_content: 'x',
    };
    const events = adapter.response({
      id: 'resp_1',
      model: 'gpt-x',
      status: 'completed',
      error: null,
      output: [
        reasoning,
        { type: 'web_search_call', status: 'completed' },
        {
          type: 'message',
          content: [
            { type: 'output_text', text: 'Hi' },
            { type: 'output_text', text: '!' },
          ],
        },
        { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{}' },
      ],
    });
    expect(deltas(events)).toEqual([
      { kind: 'reasoning', index: 0, text: 'Hm' },
      { kind: 'part_finished', index: 0 },
      { kind: 'reasoning', index: 1, text: 'mm' },
      { kind: 'part_finished', index: 1, state: state(reasoning) },
      { kind: 'text', index: 2, text: 'Hi' },
      { kind: 'part_finished', index: 2 },
      { kind: 'text', index: 3, text: '!' },
      { kind: 'part_finished', index: 3 },
      { kind: 'tool_call', index: 4, id: 'call_1', name: 'f', argumentsFragment: '' },
      { kind: 'tool_call', index: 4, argumentsFragment: '{}' },
      { kind: 'part_finished', index: 4 },
    ]);
    expect(events.slice(-2)).toEqual([{ type: 'finish', reason: 'TOOL_CALLS', raw: 'completed' }, { type: 'end' }]);
  });

  it('is a failure where the provider failed, or is not done', () => {
    const failed = { status: 'failed', error: { code: 'server_error' }, output: [] };
    expect(adapter.response(failed).at(-1)).toMatchObject({ type: 'failure', failure: { class: 'overload' } });
    expect(adapter.response({ status: 'queued', output: [] }).at(-1)).toMatchObject(MALFORMED);
    expect(adapter.response({ error: { code: 'insufficient_quota' } })).toMatchObject([
      { failure: { class: 'quota' } },
    ]);
  });

  it.each([undefined, null, 'text', [], {}, { status: 'completed' }])('is not %j', (json) => {
    expect(adapter.response(json)).toMatchObject([MALFORMED]);
  });
});

describe('the phase of words', () => {
  const message = (phase?: string) => ({ type: 'message', ...(phase === undefined ? {} : { phase }) });
  const phase = (value: string) => state({ type: 'message', phase: value });

  it('goes with them as their state, streamed or whole; words without one have none', () => {
    const events = stream(
      ['response.output_item.added', { output_index: 0, item: message('commentary') }],
      text('Looking.', 0),
      ['response.output_text.done', { output_index: 0, content_index: 0, text: 'Looking.' }],
      ['response.output_item.added', { output_index: 1, item: message() }],
      text('Found.', 1),
      ['response.output_text.done', { output_index: 1, content_index: 0, text: 'Found.' }],
      ['response.output_item.added', { output_index: 2, item: message('final_answer') }],
      ['response.output_text.done', { output_index: 2, content_index: 0, text: '' }],
      completed(),
    );
    const finished = (all: readonly AdapterEvent[]) => deltas(all).filter(({ kind }) => kind === 'part_finished');
    expect(finished(events)).toEqual([
      { kind: 'part_finished', index: 0, state: phase('commentary') },
      { kind: 'part_finished', index: 1 },
    ]);
    const content = [{ type: 'output_text', text: 'Found.' }];
    const whole = adapter.response({ status: 'completed', output: [{ ...message('final_answer'), content }] });
    expect(finished(whole)).toEqual([{ kind: 'part_finished', index: 0, state: phase('final_answer') }]);
  });
});
