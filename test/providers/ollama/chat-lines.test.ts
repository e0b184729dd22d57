import { describe, expect, it } from 'vitest';
import { ollama } from '../../../src/providers/ollama/chat-api.ts';
import { bytes } from '../../support/chat-parts.ts';
import { answer, deltas } from '../../support/chat-samples.ts';

function stream(...lines: readonly Readonly<Record<string, unknown>>[]) {
  const read = ollama.events();
  return lines.flatMap((line) => read({ name: '', data: JSON.stringify(line) }));
}

function piece(message: Readonly<Record<string, unknown>>) {
  return {
    model: 'qwen3:14b',
    created_at: '2026-11-22T01:02:03.4Z',
    message: { role: 'assistant', content: '', ...message },
    done: false,
  };
}

function last(fields: Readonly<Record<string, unknown>>) {
  return { ...piece({}), done: true, ...fields };
}

const DONE = last({ done_reason: 'stop', prompt_eval_count: 5, eval_count: 6 });

describe('streamed answer of Ollama', () => {
  it('reads reasoning, text and whole calls as parts in their order', () => {
    const events = stream(
      piece({ thinking: 'H' }),
      piece({ thinking: 'm' }),
      piece({ content: 'Hel' }),
      piece({ content: 'lo' }),
      piece({
        tool_calls: [{ function: { name: 'look', arguments: { at: 'that' } } }, { id: 'x', function: { name: 'go' } }],
      }),
      DONE,
    );
    expect(deltas(events)).toEqual([
      { kind: 'reasoning', index: 0, text: 'H' },
      { kind: 'reasoning', index: 0, text: 'm' },
      { kind: 'part_finished', index: 0, state: bytes('{"type":"thinking"}') },
      { kind: 'text', index: 1, text: 'Hel' },
      { kind: 'text', index: 1, text: 'lo' },
      { kind: 'part_finished', index: 1 },
      { kind: 'tool_call', index: 2, id: 'call_202611220102034_0', name: 'look', argumentsFragment: '{"at":"that"}' },
      { kind: 'part_finished', index: 2 },
      { kind: 'tool_call', index: 3, id: 'x', name: 'go', argumentsFragment: '' },
      { kind: 'tool_call', index: 3, argumentsFragment: '{}' },
      { kind: 'part_finished', index: 3 },
    ]);
    expect(answer(events)).toMatchObject({
      model: 'qwen3:14b',
      finish: { reason: 'TOOL_CALLS', raw: 'stop' },
      usage: { inputTokens: 5, outputTokens: 6 },
    });
    expect(events.at(-1)).toEqual({ type: 'end' });
  });

  it.each([
    ['stop', 'STOP', 'stop'],
    ['length', 'LENGTH', 'length'],
    ['load', 'OTHER', 'load'],
    [undefined, 'OTHER', '', { doubts: ['unknown_finish_reason'] }],
    ['something_new', 'OTHER', 'something_new', { doubts: ['unknown_finish_reason'] }],
  ])('reads the reason %s as %s, and only with done', (doneReason, reason, raw, more: object = {}) => {
    expect(answer(stream(piece({ content: 'Hi' }))).finish).toBeUndefined();
    const events = stream(piece({ content: 'Hi' }), last({ done_reason: doneReason }));
    expect(events.slice(-2)).toEqual([{ type: 'finish', reason, raw, ...more }, { type: 'end' }]);
  });

  it('takes a missing output count for zero and a missing prompt count for unknown', () => {
    const usage = (counts: Readonly<Record<string, unknown>>) => answer(stream(last(counts))).usage;
    expect(usage({ prompt_eval_count: 5 })).toEqual({ inputTokens: 5, outputTokens: 0 });
    expect(usage({ eval_count: 6 })).toEqual({ outputTokens: 6 });
    expect(usage({ prompt_eval_count: -1, eval_count: 1.5 })).toBeUndefined();
  });

  it.each([
    ['an error was encountered while running the model', 'overload', 'PROVIDER_UNAVAILABLE'],
    ['the input length exceeds the context length', 'capability', 'CONTEXT_LENGTH_EXCEEDED'],
  ])('ends with a failure at the error line "%s"', (error, failureClass, reason) => {
    const events = stream(piece({ content: 'He' }), { error }, piece({ content: 'llo' }), DONE);
    expect(events.at(-1)).toMatchObject({ type: 'failure', failure: { class: failureClass, reason } });
    expect(answer(events).text).toBe('He');
  });

  it.each(['{"model":"qwen3:14b","created_at', '[]', '{"message":7}', '{"message":{"content":{"a":7}}}'])(
    'ends with a protocol failure at the line %s',
    (data) => {
      const read = ollama.events();
      expect(read({ name: '', data })).toMatchObject([{ type: 'failure', failure: { class: 'protocol' } }]);
      expect(read({ name: '', data: JSON.stringify(DONE) })).toEqual([]);
    },
  );

  it('passes over blank lines, and over all that comes after the end', () => {
    const read = ollama.events();
    expect(read({ name: '', data: '  ' })).toEqual([]);
    expect(read({ name: '', data: JSON.stringify(DONE) })).not.toEqual([]);
    expect(read({ name: '', data: JSON.stringify(piece({ content: 'more' })) })).toEqual([]);
  });
});

describe('whole answer of Ollama', () => {
  it('reads the message with its end', () => {
    const events = ollama.response({ ...DONE, message: { role: 'assistant', thinking: 'Hm', content: 'Hello' } });
    expect(answer(events)).toMatchObject({
      model: 'qwen3:14b',
      text: 'Hello',
      reasoning: 'Hm',
      finish: { reason: 'STOP', raw: 'stop' },
      usage: { inputTokens: 5, outputTokens: 6 },
    });
  });

  it('takes an error for one, and anything unfinished for no answer', () => {
    expect(ollama.response({ error: 'boom' })).toMatchObject([{ failure: { class: 'overload' } }]);
    for (const json of [null, 'text', [], {}, piece({ content: 'Hi' })]) {
      expect(ollama.response(json)).toMatchObject([{ type: 'failure', failure: { class: 'protocol' } }]);
    }
  });
});
