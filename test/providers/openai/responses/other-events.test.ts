import { describe, expect, it } from 'vitest';
import { openai } from '../../../../src/providers/openai.ts';
import { answer } from '../../../support/chat-samples.ts';

type Fields = Readonly<Record<string, unknown>>;

function stream(...events: readonly (readonly [type: string, fields: Fields])[]) {
  const read = openai('responses').events();
  return answer(events.flatMap(([type, fields]) => read({ name: type, data: JSON.stringify({ type, ...fields }) })));
}

function message(id: string, text: string) {
  return { type: 'message', id, content: [{ type: 'output_text', text }] };
}

function completed(output: readonly unknown[], more: Fields = {}) {
  return ['response.completed', { response: { status: 'completed', output, ...more } }] as const;
}

describe('events of the Responses API at other servers', () => {
  it('are of one message where each has an id of its own, and no index', () => {
    const told = stream(
      ['response.output_item.added', { item: message('a', '') }],
      ['response.output_text.delta', { item_id: 'b', delta: 'Hel' }],
      ['response.output_text.delta', { item_id: 'c', delta: 'lo' }],
      ['response.output_item.done', { item: message('d', 'Hello') }],
      completed([message('e', 'Hello')]),
    );
    expect(told).toMatchObject({ text: 'Hello', finish: { reason: 'STOP' } });
  });

  it('are of a further message behind one that has ended', () => {
    const told = stream(
      ['response.output_item.added', { item: message('a', '') }],
      ['response.output_text.delta', { item_id: 'a', delta: 'One' }],
      ['response.output_item.done', { item: message('a', 'One') }],
      ['response.output_text.delta', { item_id: 'b', delta: ', two' }],
      completed([message('a', 'One'), message('b', ', two')]),
    );
    expect(told.text).toBe('One, two');
  });

  it.each(['reasoning', 'reasoning_content', 'reasoning_summary'])('may tell what the model thought in %s', (name) => {
    const told = stream(
      [`response.${name}.delta`, { item_id: 'r', delta: 'H' }],
      [`response.${name}.delta`, { item_id: 'r', delta: 'm' }],
      completed([message('a', 'Hi')]),
    );
    expect(told).toMatchObject({ reasoning: 'Hm', text: 'Hi' });
  });

  it('may count by the names of Chat Completions', () => {
    const usage = { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 };
    expect(stream(completed([message('a', 'Hi')], { usage })).usage).toEqual({
      inputTokens: 9,
      outputTokens: 4,
      totalTokens: 13,
    });
  });
});
