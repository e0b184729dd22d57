import { describe, expect, it } from 'vitest';
import { anthropic } from '../../../src/providers/anthropic/messages-api.ts';
import { START, STOP, block, blockEnd, ending, fault, piece, readStream } from '../../support/anthropic-samples.ts';
import { answer, deltas } from '../../support/chat-samples.ts';

function state(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

describe('streamed answer of the Messages API', () => {
  it('reads reasoning with its signature, text, and a call in fragments', () => {
    const events = readStream(
      START,
      { type: 'ping' },
      block(0, { type: 'thinking', thinking: '', signature: '' }),
      piece(0, { type: 'thinking_delta', thinking: 'Hm' }),
      piece(0, { type: 'signature_delta', signature: 'sig==' }),
      blockEnd(0),
      block(1, { type: 'text', text: '' }),
      piece(1, { type: 'text_delta', text: 'Hel' }),
      piece(1, { type: 'text_delta', text: 'lo' }),
      piece(1, { type: 'citations_delta', citation: {} }),
      blockEnd(1),
      block(2, { type: 'tool_use', id: 'toolu_1', name: 'look', input: {} }),
      piece(2, { type: 'input_json_delta', partial_json: '' }),
      piece(2, { type: 'input_json_delta', partial_json: '{"n":' }),
      piece(2, { type: 'input_json_delta', partial_json: '12345678901234567890}' }),
      blockEnd(2),
      ending('tool_use'),
      STOP,
    );
    expect(answer(events)).toMatchObject({
      model: 'claude-sonnet-5-5',
      responseId: 'msg_1',
      text: 'Hello',
      reasoning: 'Hm',
      calls: [{ id: 'toolu_1', name: 'look', arguments: '{"n":12345678901234567890}' }],
      finish: { type: 'finish', reason: 'TOOL_CALLS', raw: 'tool_use' },
      usage: { inputTokens: 10, outputTokens: 7 },
    });
    expect(deltas(events).filter(({ kind }) => kind === 'part_finished')).toEqual([
      {
        kind: 'part_finished',
        index: 0,
        state: state({ type: 'thinking', signature: 'sig==', model: 'claude-sonnet-5-5' }),
      },
      { kind: 'part_finished', index: 1 },
      { kind: 'part_finished', index: 2 },
    ]);
    expect(events.at(-1)).toEqual({ type: 'end' });
  });

  it('numbers only the parts of the answer: server tools are passed over', () => {
    const events = readStream(
      START,
      block(0, { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} }),
      piece(0, { type: 'input_json_delta', partial_json: '{}' }),
      blockEnd(0),
      block(1, { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] }),
      blockEnd(1),
      block(2, { type: 'text', text: '' }),
      piece(2, { type: 'text_delta', text: 'Found' }),
      piece(2, { type: 'some_new_delta', value: 1 }),
      blockEnd(2),
      { type: 'some_new_event' },
      ending('pause_turn'),
      STOP,
    );
    expect(deltas(events)).toEqual([
      { kind: 'text', index: 0, text: 'Found' },
      { kind: 'part_finished', index: 0 },
    ]);
    expect(answer(events).finish).toMatchObject({ reason: 'OTHER', raw: 'pause_turn' });
  });

  it('keeps redacted reasoning as state, told once the answer goes on', () => {
    const events = readStream(
      START,
      block(0, { type: 'redacted_thinking', data: 'secret' }),
      blockEnd(0),
      block(1, { type: 'text', text: '' }),
      piece(1, { type: 'text_delta', text: 'Hi' }),
    );
    expect(deltas(events)).toEqual([
      {
        kind: 'part_finished',
        index: 0,
        state: state({ type: 'redacted_thinking', data: 'secret', model: 'claude-sonnet-5-5' }),
      },
      { kind: 'text', index: 1, text: 'Hi' },
    ]);
  });

  it('gives a call without fragments its arguments all the same', () => {
    const call = (input: unknown) =>
      answer(readStream(START, block(0, { type: 'tool_use', id: 'a', name: 'f', input }), blockEnd(0))).calls;
    expect(call({})).toEqual([{ id: 'a', name: 'f', arguments: '{}' }]);
    expect(call({ n: 1 })).toEqual([{ id: 'a', name: 'f', arguments: '{"n":1}' }]);
  });

  it.each([
    ['end_turn', 'STOP'],
    ['stop_sequence', 'STOP'],
    ['max_tokens', 'LENGTH'],
    ['model_context_window_exceeded', 'LENGTH'],
    ['refusal', 'REFUSAL'],
    ['pause_turn', 'OTHER'],
    ['some_new_reason', 'OTHER', { doubts: ['unknown_finish_reason'] }],
    ['length', 'LENGTH'],
    ['guardrail_intervened', 'CONTENT_FILTER'],
  ])('reads the stop reason %s as %s, and only with message_stop', (raw, reason, more: object = {}) => {
    expect(answer(readStream(START, ending(raw))).finish).toBeUndefined();
    const finish = { type: 'finish', reason, raw, ...more };
    expect(readStream(START, ending(raw), STOP).slice(-2)).toEqual([finish, { type: 'end' }]);
  });

  it('counts cumulatively, cache included, and takes null for unsaid', () => {
    const usage = {
      input_tokens: 100,
      cache_read_input_tokens: 20,
      cache_creation_input_tokens: 30,
      cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
      output_tokens: 1,
      service_tier: 'standard',
    };
    const later = {
      input_tokens: null,
      cache_read_input_tokens: 25,
      output_tokens: 40,
      output_tokens_details: { thinking_tokens: 15 },
    };
    const events = readStream({ ...START, message: { ...START.message, usage } }, ending('end_turn', later), STOP);
    expect(events.filter(({ type }) => type === 'usage')).toEqual([
      {
        type: 'usage',
        usage: {
          inputTokens: 150,
          cachedInputTokens: 20,
          cacheWriteTokens: 30,
          cacheWriteLongTokens: 20,
          serviceTier: 'standard',
        },
      },
      {
        type: 'usage',
        usage: {
          inputTokens: 155,
          cachedInputTokens: 25,
          cacheWriteTokens: 30,
          cacheWriteLongTokens: 20,
          outputTokens: 40,
          reasoningTokens: 15,
          serviceTier: 'standard',
        },
      },
    ]);
  });

  it('names the fast mode as service tier', () => {
    const events = readStream(
      START,
      ending('end_turn', { output_tokens: 1, service_tier: 'standard', speed: 'fast' }),
      STOP,
    );
    expect(answer(events).usage).toMatchObject({ serviceTier: 'fast' });
  });

  it('takes the usage for doubtful where another tier than the usual one stands beside the fast mode', () => {
    const usage = { output_tokens: 1, service_tier: 'batch', speed: 'fast' };
    const told = answer(readStream(START, ending('end_turn', usage), STOP)).usage;
    expect(told).toMatchObject({ serviceTier: 'fast', isDoubtful: true });
  });

  it.each([
    ['us', 'us'],
    ['two words', 'unknown'],
    ['global', undefined],
    ['not_available', undefined],
    [null, undefined],
  ])('tells the region %s beside the service tier, where it costs more', (inference_geo, region) => {
    const usage = { output_tokens: 1, service_tier: 'standard', inference_geo };
    const told = answer(readStream(START, ending('end_turn', usage), STOP)).usage;
    expect(told).toMatchObject({ serviceTier: 'standard' });
    expect(told?.region).toBe(region);
  });

  it('sums up the writes of both lifetimes where their sum is not told', () => {
    const cache_creation = { ephemeral_5m_input_tokens: 30, ephemeral_1h_input_tokens: 20 };
    const usage = { input_tokens: 10, output_tokens: 1, cache_creation };
    expect(answer(readStream(START, ending('end_turn', usage), STOP)).usage).toMatchObject({
      cacheWriteTokens: 50,
      cacheWriteLongTokens: 20,
    });
  });

  it.each([
    [30, 0],
    [0, 50],
    [50, 20],
  ])('takes the usage for doubtful where the sum of writes is %j and long ones are %j', (sum, long) => {
    const cache_creation = { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: long };
    const usage = { input_tokens: 10, output_tokens: 1, cache_creation_input_tokens: sum, cache_creation };
    expect(answer(readStream(START, ending('end_turn', usage), STOP)).usage).toMatchObject({ isDoubtful: true });
  });

  it('keeps the input that was counted before a 0, and takes the usage for doubtful', () => {
    const usage = { input_tokens: 100, cache_read_input_tokens: 40, output_tokens: 1 };
    const later = { input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 7 };
    const events = readStream({ ...START, message: { ...START.message, usage } }, ending('end_turn', later), STOP);
    expect(answer(events).usage).toMatchObject({
      inputTokens: 140,
      cachedInputTokens: 40,
      outputTokens: 7,
      isDoubtful: true,
    });
  });

  it.each([
    ['standard', 'standard'],
    ['turbo', 'turbo'],
    [7.5, '7.5'],
    ['two words', 'unknown'],
    [null, 'standard'],
  ])('takes the speed %s for the service tier where it is not the usual one', (speed, serviceTier) => {
    const usage = { output_tokens: 1, service_tier: 'standard', speed };
    expect(answer(readStream(START, ending('end_turn', usage), STOP)).usage).toMatchObject({ serviceTier });
  });

  it.each([-1, 1.5, '7', 2 ** 60, true])('takes the usage for doubtful where %j stands for a count', (odd) => {
    const usage = { input_tokens: 10, output_tokens: 1, cache_read_input_tokens: odd };
    expect(answer(readStream(START, ending('end_turn', usage), STOP)).usage).toMatchObject({
      inputTokens: 10,
      isDoubtful: true,
    });
  });

  it('goes by the name of an event that has no type of its own', () => {
    const data = JSON.stringify({ error: { type: 'overloaded_error', message: 'Overloaded' } });
    expect(anthropic.events()({ name: 'error', data })).toMatchObject([{ failure: { class: 'overload' } }]);
  });

  it('reads JSON that is padded with blanks, and events without a name', () => {
    const read = anthropic.events();
    read({ name: '', data: `${JSON.stringify(block(0, { type: 'text', text: '' })).slice(0, -1)}     }` });
    expect(read({ name: '', data: ` ${JSON.stringify(piece(0, { type: 'text_delta', text: 'é' }))}  ` })).toEqual([
      { type: 'delta', delta: { kind: 'text', index: 0, text: 'é' } },
    ]);
  });
});

describe('whole answer of the Messages API', () => {
  it('reads all blocks, the stop reason and the usage', () => {
    const events = anthropic.response({
      type: 'message',
      id: 'msg_2',
      model: 'claude-opus-5-5',
      content: [
        { type: 'thinking', thinking: 'Hm', signature: 'sig' },
        { type: 'text', text: 'Hello' },
        { type: 'tool_use', id: 'toolu_1', name: 'look', input: { at: 'that' } },
      ],
      stop_reason: 'tool_use',
      usage: { input_tokens: 5, output_tokens: 6, cache_read_input_tokens: null },
    });
    expect(answer(events)).toMatchObject({
      model: 'claude-opus-5-5',
      responseId: 'msg_2',
      text: 'Hello',
      reasoning: 'Hm',
      calls: [{ id: 'toolu_1', name: 'look', arguments: '{"at":"that"}' }],
      finish: { reason: 'TOOL_CALLS', raw: 'tool_use' },
      usage: { inputTokens: 5, outputTokens: 6 },
    });
    expect(deltas(events)).toContainEqual({
      kind: 'part_finished',
      index: 0,
      state: state({ type: 'thinking', signature: 'sig', model: 'claude-opus-5-5' }),
    });
    expect(events.at(-1)).toEqual({ type: 'end' });
  });

  it('takes an error for one, and anything else for no answer', () => {
    expect(anthropic.response(fault('overloaded_error'))).toMatchObject([{ failure: { class: 'overload' } }]);
    for (const json of [null, 'text', [], {}, { content: 'text' }, { content: [7] }]) {
      expect(anthropic.response(json)).toMatchObject([{ type: 'failure', failure: { class: 'protocol' } }]);
    }
  });
});
