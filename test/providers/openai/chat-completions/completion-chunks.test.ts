import { describe, expect, it } from 'vitest';
import type { AdapterEvent } from '../../../../src/providers/port/adapter.ts';
import { openai } from '../../../../src/providers/openai.ts';
import { bytes } from '../../../support/chat-parts.ts';
import { answer, deltas } from '../../../support/chat-samples.ts';

const adapter = openai('chat_completions');
const MALFORMED = { type: 'failure', failure: { class: 'protocol', reason: 'PROVIDER_PROTOCOL_ERROR' } };

/** Frames objects as data lines; texts are sent as they are. */
function stream(...chunks: readonly unknown[]): readonly AdapterEvent[] {
  const read = adapter.events();
  return chunks.flatMap((chunk) => read({ name: '', data: typeof chunk === 'string' ? chunk : JSON.stringify(chunk) }));
}

function chunk(delta: unknown, finishReason: string | null = null) {
  return { id: 'chatcmpl-1', model: 'gpt-x', choices: [{ index: 0, delta, finish_reason: finishReason }], usage: null };
}

function whole(message: unknown, finishReason: string | null = 'stop', more: Readonly<Record<string, unknown>> = {}) {
  const choices = [{ index: 0, message, finish_reason: finishReason }];
  return adapter.response({ id: 'chatcmpl-1', model: 'gpt-x', choices, ...more });
}

describe('a streamed answer of Chat Completions', () => {
  it('is identity, text, finish, usage, end', () => {
    const usage = {
      prompt_tokens: 9,
      completion_tokens: 2,
      total_tokens: 11,
      prompt_tokens_details: { cached_tokens: 4 },
    };
    const events = stream(
      { id: '', model: '', choices: [], prompt_filter_results: [] },
      chunk({ role: 'assistant', content: '', refusal: null }),
      chunk({ content: 'Hel' }),
      chunk({ content: 'lo' }),
      chunk({}, 'stop'),
      { ...chunk({}), choices: [{ index: 0, finish_reason: null, content_filter_offsets: {} }] },
      { id: 'chatcmpl-1', model: 'gpt-x', choices: [], usage },
      '[DONE]',
      '[DONE]',
    );
    expect(events).toEqual([
      { type: 'identity', model: 'gpt-x', responseId: 'chatcmpl-1' },
      { type: 'delta', delta: { kind: 'text', index: 0, text: 'Hel' } },
      { type: 'delta', delta: { kind: 'text', index: 0, text: 'lo' } },
      { type: 'delta', delta: { kind: 'part_finished', index: 0 } },
      { type: 'finish', reason: 'STOP', raw: 'stop' },
      { type: 'usage', usage: { inputTokens: 9, cachedInputTokens: 4, outputTokens: 2, totalTokens: 11 } },
      { type: 'end' },
    ]);
  });

  it('numbers its parts in the order of their beginnings, and tells ids and names of calls once', () => {
    const call = (index: number, more: unknown) => chunk({ tool_calls: [Object.assign({ index }, more)] });
    const events = stream(
      chunk({ reasoning_content: 'Hm', content: null }),
      chunk({ content: 'Look:' }),
      call(0, { id: 'a', type: 'function', function: { name: 'f', arguments: '' } }),
      call(0, { function: { arguments: '{"x":' } }),
      call(1, { id: 'b', function: { name: 'g', arguments: '{"y":2}' } }),
      call(0, { id: 'a', function: { name: 'f', arguments: '1}' } }),
      chunk({}, 'tool_calls'),
    );
    expect(deltas(events)).toEqual([
      { kind: 'reasoning', index: 0, text: 'Hm' },
      { kind: 'text', index: 1, text: 'Look:' },
      { kind: 'tool_call', index: 2, id: 'a', name: 'f', argumentsFragment: '' },
      { kind: 'tool_call', index: 2, argumentsFragment: '{"x":' },
      { kind: 'tool_call', index: 3, id: 'b', name: 'g', argumentsFragment: '{"y":2}' },
      { kind: 'tool_call', index: 2, argumentsFragment: '1}' },
      { kind: 'part_finished', index: 0, state: bytes('{"type":"reasoning_content"}') },
      ...[1, 2, 3].map((index) => ({ kind: 'part_finished', index })),
    ]);
    expect(events.at(-1)).toEqual({ type: 'finish', reason: 'TOOL_CALLS', raw: 'tool_calls' });
  });

  it.each([
    ['the same index', { index: 0 }, 'a', 'b'],
    ['no index', {}, 'a', 'b'],
    ['neither index nor id', {}, undefined, undefined],
  ])('keeps calls apart that have %s', (_, at, first, second) => {
    const call = (id: string | undefined, name: string | undefined, text: string) =>
      chunk({ tool_calls: [{ ...at, id, function: { name, arguments: text } }] });
    const events = stream(
      call(first, 'f', '{"x":'),
      call(undefined, undefined, '1}'),
      call(second, 'f', '{"x":'),
      // Some servers make up an id for every fragment.
      call('made-up', undefined, '2}'),
      chunk({}, 'tool_calls'),
    );
    const calls = deltas(events).flatMap((delta) => (delta.kind === 'tool_call' ? [delta] : []));
    const argumentsOf = (index: number) =>
      calls.map((delta) => (delta.index === index ? delta.argumentsFragment : '')).join('');
    expect([argumentsOf(0), argumentsOf(1)]).toEqual(['{"x":1}', '{"x":2}']);
    expect(calls.flatMap(({ name }) => name ?? [])).toEqual(['f', 'f']);
  });

  it.each([
    ['length', 'LENGTH'],
    ['content_filter', 'CONTENT_FILTER'],
    ['max_tokens', 'LENGTH'],
    ['MAX_TOKENS', 'LENGTH'],
    ['maxPredictedTokensReached', 'LENGTH'],
    ['tool_use', 'TOOL_CALLS'],
    ['function_call', 'TOOL_CALLS'],
    ['end_turn', 'STOP'],
    ['eos_token', 'STOP'],
    ['FinishReason.STOP', 'STOP'],
    ['SAFETY', 'CONTENT_FILTER'],
    ['sensitive', 'CONTENT_FILTER'],
  ])('ends with %s as %s', (raw, reason) => {
    const call = { index: 0, id: 'a', function: { name: 'f', arguments: '{}' } };
    const delta = reason === 'TOOL_CALLS' ? { tool_calls: [call] } : { content: 'x' };
    expect(answer(stream(chunk(delta, raw))).finish).toEqual({ type: 'finish', reason, raw });
  });

  it('goes on behind a reason that nobody knows, and ends only with its end marker', () => {
    const pieces = [chunk({ content: 'Hel' }, 'something_new'), chunk({ content: 'lo' }, 'something_newer')];
    expect(answer(stream(...pieces)).finish).toBeUndefined();
    expect(answer(stream(...pieces, '[DONE]'))).toMatchObject({
      text: 'Hello',
      finish: { reason: 'OTHER', raw: 'something_newer', doubts: ['unknown_finish_reason'] },
    });
  });

  it.each(['', 'null', 'None', 'FINISH_REASON_UNSPECIFIED', false, {}])('takes the reason %j for none', (raw) => {
    const piece = (content: string) => ({ choices: [{ index: 0, delta: { content }, finish_reason: raw }] });
    expect(answer(stream(piece('Hel'), piece('lo'))).finish).toBeUndefined();
    const read = answer(stream(piece('Hel'), piece('lo'), chunk({}, 'stop')));
    expect(read).toMatchObject({ text: 'Hello', finish: { reason: 'STOP' } });
  });

  it.each(['network_error', 'error', 'server_error', 'abort', 'cancelled', 'MALFORMED_FUNCTION_CALL', 'time_limit'])(
    'breaks off with the reason %s',
    (raw) => {
      const events = stream(chunk({ content: 'Half' }), chunk({}, raw), '[DONE]');
      expect(answer(events)).toMatchObject({ text: 'Half', finish: undefined, failure: { class: 'overload' } });
      expect(whole({ content: 'Half' }, raw)).toMatchObject([{ type: 'failure', failure: { providerCode: raw } }]);
    },
  );

  it('gives the words of a refusal as text', () => {
    const read = answer(
      stream(chunk({ content: null, refusal: 'I' }), chunk({ refusal: ' cannot' }), chunk({}, 'stop')),
    );
    expect(read).toMatchObject({ text: 'I cannot', finish: { reason: 'REFUSAL', raw: 'stop' } });
  });

  it('takes [DONE] for the end where no reason came, and nothing else', () => {
    expect(stream(chunk({ content: 'x' }), '[DONE]').slice(-2)).toEqual([
      { type: 'finish', reason: 'OTHER', raw: '', doubts: ['unknown_finish_reason'] },
      { type: 'end' },
    ]);
    expect(answer(stream(chunk({ content: 'x' }))).finish).toBeUndefined();
  });

  it('reads the first of several choices', () => {
    const other = { index: 1, delta: { content: 'no' }, finish_reason: 'length' };
    const [first] = chunk({ content: 'yes' }, 'stop').choices;
    const read = answer(stream({ choices: [other] }, { choices: [other, first] }));
    expect(read).toMatchObject({ text: 'yes', finish: { reason: 'STOP' } });
  });

  it.each([
    [{ error: { message: 'secret', type: 'server_error', code: null } }, 'overload'],
    [{ error: { message: 'secret', code: 'rate_limit_exceeded' } }, 'rate_limit'],
    [{ error: { message: 'secret', type: 'insufficient_quota' } }, 'quota'],
    [{ error: { message: 'secret', type: 'BadRequestError', code: 400 } }, 'bad_request'],
    [{ error: 'secret' }, 'overload'],
    [{ object: 'error', message: 'secret', code: 503 }, 'overload'],
  ])('breaks off at the error %j', (error, failureClass) => {
    const events = stream(chunk({ content: 'x' }), error, chunk({ content: 'y' }), '[DONE]');
    expect(answer(events)).toMatchObject({ text: 'x', finish: undefined, failure: { class: failureClass } });
    expect(events.at(-1)?.type).toBe('failure');
    expect(JSON.stringify(events)).not.toContain('secret');
  });

  it('breaks off at an event named error', () => {
    const events = adapter.events()({ name: 'error', data: '{"message":"secret","type":"overloaded_error"}' });
    expect(events).toMatchObject([
      { type: 'failure', failure: { class: 'overload', providerCode: 'overloaded_error' } },
    ]);
  });

  it('breaks off where DeepSeek runs out of resources', () => {
    const events = stream(chunk({ content: 'x' }), chunk({}, 'insufficient_system_resource'), '[DONE]');
    expect(answer(events)).toMatchObject({ finish: undefined, failure: { class: 'overload' } });
    expect(events.at(-1)?.type).toBe('failure');
  });

  it.each(['{"choices":[', '[]', 'hello', '{"choices":"none"}', '{"choices":[{"index":0,"delta":7}]}'])(
    'calls %s malformed',
    (data) => {
      expect(stream(chunk({ content: 'x' }), data, chunk({}, 'stop')).slice(-1)).toMatchObject([MALFORMED]);
    },
  );

  it('is not spoilt by what goes wrong after its end', () => {
    expect(stream(chunk({ content: 'x' }, 'stop'), '{').slice(-2)).toEqual([
      { type: 'finish', reason: 'STOP', raw: 'stop' },
      { type: 'end' },
    ]);
  });

  it('counts nothing that is no count', () => {
    const usage = { prompt_tokens: -1, completion_tokens: 1.5, total_tokens: 2 ** 60, prompt_cache_hit_tokens: 3 };
    const events = stream({ choices: [], usage }, { choices: [], usage: { prompt_tokens: '7' } });
    expect(events).toEqual([{ type: 'usage', usage: { cachedInputTokens: 3, isDoubtful: true } }]);
  });
});

describe('a whole answer of Chat Completions', () => {
  it('reads like a streamed one', () => {
    const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } };
    const events = whole({ content: 'Hi', reasoning: 'Hm', refusal: null, tool_calls: [call] }, 'stop', {
      usage: { prompt_tokens: 1, completion_tokens: 2, completion_tokens_details: { reasoning_tokens: 1 } },
    });
    expect(answer(events)).toEqual({
      model: 'gpt-x',
      responseId: 'chatcmpl-1',
      text: 'Hi',
      reasoning: 'Hm',
      calls: [{ id: 'a', name: 'f', arguments: '{}' }],
      usage: { inputTokens: 1, outputTokens: 2, reasoningTokens: 1 },
      finish: { type: 'finish', reason: 'TOOL_CALLS', raw: 'stop' },
      failure: undefined,
    });
    expect(events.at(-1)).toEqual({ type: 'end' });
  });

  it('may be filtered away', () => {
    expect(answer(whole(undefined, 'content_filter'))).toMatchObject({
      text: '',
      finish: { reason: 'CONTENT_FILTER' },
    });
  });

  it('is a failure where the provider gave up', () => {
    expect(whole({ content: 'x' }, 'insufficient_system_resource').at(-1)).toMatchObject({
      type: 'failure',
      failure: { class: 'overload' },
    });
    expect(adapter.response({ error: { code: 'insufficient_quota' } })).toMatchObject([
      { failure: { class: 'quota' } },
    ]);
  });

  it.each([undefined, null, 'text', [], {}, { choices: [] }, { choices: 'none' }])('is not %j', (json) => {
    expect(adapter.response(json)).toMatchObject([MALFORMED]);
  });
});
