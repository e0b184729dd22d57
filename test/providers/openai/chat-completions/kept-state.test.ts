import { describe, expect, it } from 'vitest';

import { openai } from '../../../../src/providers/openai.ts';
import type { JsonRecord } from '../../../../src/providers/shared/json/value.ts';
import { deltas } from '../../../support/chat-samples.ts';

/** Reads a stream of deltas and returns the state of each part that has one, and the reasoning that was told. */
function read(...messages: readonly JsonRecord[]) {
  const reader = openai('chat_completions').events();
  const chunk = (delta: JsonRecord, finish: string | null = null) => ({
    name: '',
    data: JSON.stringify({ id: 'c', model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] }),
  });
  const told = deltas([...messages.map((message) => chunk(message)), chunk({}, 'stop')].flatMap(reader));
  return {
    reasoning: told.map((delta) => (delta.kind === 'reasoning' ? delta.text : '')).join(''),
    states: told.flatMap((delta) =>
      delta.kind === 'part_finished' && delta.state !== undefined
        ? [{ index: delta.index, state: JSON.parse(new TextDecoder().decode(delta.state)) }]
        : [],
    ),
  };
}

const details = (...entries: readonly JsonRecord[]) => ({ reasoning_details: entries });

describe('details of reasoning that come in fragments', () => {
  it('become one for each index: texts grow, and what signs them counts last', () => {
    const { reasoning, states } = read(
      details({ type: 'reasoning.text', text: 'I ', index: 0, format: 'f' }),
      details({ type: 'reasoning.text', text: 'think.', index: 0, id: null }),
      details({ type: 'reasoning.text', signature: 'sig', text: '', index: 0 }),
      details({ type: 'reasoning.summary', summary: 'In ', index: 1 }),
      details({ type: 'reasoning.summary', summary: 'short.', index: 1 }),
      details({ type: 'reasoning.encrypted', data: 'ab', index: 2, id: 'r' }),
      details({ type: 'reasoning.encrypted', data: 'cd', index: 2, id: 'r' }),
      { content: 'Well.' },
    );
    expect(reasoning).toBe('I think.In short.');
    expect(states).toEqual([
      {
        index: 0,
        state: {
          type: 'message',
          fields: {
            reasoning_details: [
              { type: 'reasoning.text', text: 'I think.', index: 0, format: 'f', signature: 'sig' },
              { type: 'reasoning.summary', summary: 'In short.', index: 1 },
              { type: 'reasoning.encrypted', data: 'abcd', index: 2, id: 'r' },
            ],
          },
        },
      },
    ]);
  });

  it('are not told twice where the words stand beside them', () => {
    const { reasoning } = read({ reasoning: 'Hm.', ...details({ type: 'reasoning.text', text: 'Hm.', index: 0 }) });
    expect(reasoning).toBe('Hm.');
  });

  it('stay apart where they have neither index nor fragments, or are signed', () => {
    const entries = [
      { type: 'reasoning.encrypted', data: 'a' },
      { type: 'reasoning.encrypted', data: 'b' },
    ];
    expect(read({ content: 'x', ...details(...entries) }).states[0]?.state.fields.reasoning_details).toEqual(entries);
    const blocks = read(
      { thinking_blocks: [{ type: 'thinking', thinking: 'A', signature: null }] },
      { thinking_blocks: [{ type: 'thinking', thinking: '', signature: 's' }] },
      { thinking_blocks: [{ type: 'thinking', thinking: 'B' }], content: 'x' },
    );
    expect(blocks.states[0]?.state.fields.thinking_blocks).toEqual([
      { type: 'thinking', thinking: 'A', signature: 's' },
      { type: 'thinking', thinking: 'B' },
    ]);
  });

  it('are a part of their own where nothing of them can be read and no text stands beside them', () => {
    const { states } = read(
      { tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{}' } }] },
      details({ type: 'reasoning.encrypted', data: 'ab', index: 0 }),
    );
    expect(states).toMatchObject([{ index: 1, state: { type: 'message' } }]);
  });

  it('are not kept where they are longer than a state may be', () => {
    const long = details({ type: 'reasoning.text', text: 'x'.repeat(700_000), index: 0 });
    expect(read(long, { content: 'Well.' }).states).toHaveLength(1);
    expect(read(long, long, { content: 'Well.' }).states).toEqual([]);
    const many = Array.from({ length: 1_001 }, (_, index) => ({ type: 'reasoning.text', text: 'x', index }));
    expect(read(details(...many), { content: 'Well.' }).states).toEqual([]);
  });
});

describe('the state of a call', () => {
  it('may come with a later fragment, and in pieces', () => {
    const call = (more: JsonRecord) => ({ tool_calls: [{ index: 0, ...more }] });
    const { states } = read(
      call({ id: 'a', function: { name: 'f', arguments: '{}' }, extra_content: { google: { thought: false } } }),
      call({ extra_content: { google: { thought_signature: 's' } } }),
    );
    expect(states).toEqual([
      {
        index: 0,
        state: { type: 'tool_call', fields: { extra_content: { google: { thought: false, thought_signature: 's' } } } },
      },
    ]);
  });

  it('of no call is nothing', () => {
    expect(read({ tool_calls: [{ index: 0, extra_content: { google: {} } }], content: 'x' }).states).toEqual([]);
  });
});
