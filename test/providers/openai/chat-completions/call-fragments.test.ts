import { describe, expect, it } from 'vitest';
import { openai } from '../../../../src/providers/openai.ts';
import { answer } from '../../../support/chat-samples.ts';

interface Fragment {
  readonly index?: number | null;
  readonly id?: string | null;
  readonly function: Readonly<Record<string, unknown>>;
}

function stream(...deltas: readonly unknown[]) {
  const read = openai('chat_completions').events();
  const chunks = [
    ...deltas.map((delta) => ({ choices: [{ index: 0, delta }] })),
    { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] },
  ];
  return answer(chunks.flatMap((chunk) => read({ name: '', data: JSON.stringify(chunk) })));
}

function calls(...fragments: readonly Fragment[]) {
  const told = stream(...fragments.map((fragment) => ({ tool_calls: [fragment] })));
  return told.calls.map((call) => [call.name, call.arguments]);
}

const HALF = '{"note":"a } in \\"quotes\\"",';
const REST = '"n":[1]}';
const WHOLE = HALF + REST;

describe('fragments of a streamed call', () => {
  it.each<readonly [string, readonly Fragment[]]>([
    [
      'neither index nor id, and a name in each',
      [{ function: { name: 'f', arguments: HALF } }, { function: { name: 'f', arguments: REST } }],
    ],
    [
      'another id and the name in each',
      [
        { index: 0, id: 'a', function: { name: 'f', arguments: HALF } },
        { index: 0, id: 'b', function: { name: 'f', arguments: REST } },
      ],
    ],
    [
      'all arguments once more at the end, with the name',
      [
        { index: 0, id: 'a', function: { name: 'f', arguments: HALF } },
        { index: 0, function: { arguments: REST } },
        { index: 0, id: 'a', function: { name: 'f', arguments: WHOLE } },
      ],
    ],
    [
      'all arguments once more at the end, without a name',
      [
        { index: 0, id: 'a', function: { name: 'f', arguments: WHOLE } },
        { index: 0, function: { arguments: WHOLE } },
      ],
    ],
    [
      'an empty object before the arguments',
      [
        { index: 0, id: 'a', function: { name: 'f', arguments: '{}' } },
        { index: 0, function: { arguments: HALF } },
        { index: 0, function: { arguments: REST } },
      ],
    ],
    [
      'the word null before the arguments',
      [
        { index: 0, id: 'a', function: { name: 'f', arguments: 'null' } },
        { index: 0, function: { arguments: WHOLE } },
      ],
    ],
  ])('are one call where they have %s', (_, fragments) => {
    expect(calls(...fragments)).toEqual([['f', WHOLE]]);
  });

  it.each<readonly [string, Fragment, Fragment]>([
    ['another name', { function: { name: 'f', arguments: WHOLE } }, { function: { name: 'g', arguments: '{}' } }],
    [
      'other arguments',
      { function: { name: 'f', arguments: '{"n":1}' } },
      { function: { name: 'f', arguments: '{"n":2}' } },
    ],
  ])('begin another call behind one that is whole, where they have index 0, no id and %s', (_, first, second) => {
    expect(calls({ index: 0, ...first }, { index: 0, ...second })).toEqual(
      [first, second].map((one) => [one.function['name'], one.function['arguments']]),
    );
  });

  it('may nest an object that reads like what was told before', () => {
    const pieces = ['{"a":', '{"a":', '1}}'].map((text) => ({ index: 0, function: { arguments: text } }));
    expect(calls({ index: 0, id: 'a', function: { name: 'f' } }, ...pieces)).toEqual([['f', '{"a":{"a":1}}']]);
  });

  it.each(['parameters', 'input'])('may have their arguments as %s', (field) => {
    expect(calls({ id: 'a', function: { name: 'f', [field]: { n: 1 } } })).toEqual([['f', '{"n":1}']]);
  });

  it('are no second call where the older form says the same beside them', () => {
    const called = { name: 'f', arguments: '{"n":1}' };
    const told = stream({ function_call: called, tool_calls: [{ index: 0, id: 'a', function: called }] });
    expect(told.calls).toEqual([{ id: 'a', name: 'f', arguments: '{"n":1}' }]);
  });
});

describe('reasoning', () => {
  it.each([
    ['reasoning_text', 'Hm.'],
    ['thinking', 'Hm.'],
    ['thinking', { thinking: 'Hm.' }],
    ['thought', 'Hm.'],
    ['thinking_content', 'Hm.'],
    ['thinking_blocks', [{ type: 'thinking', thinking: 'Hm.', signature: 's' }]],
  ])('may stand in %s', (field, value) => {
    expect(stream({ [field]: value }, { content: 'Hi' })).toMatchObject({ reasoning: 'Hm.', text: 'Hi' });
  });

  it('is told once where blocks repeat it', () => {
    const blocks = [{ type: 'thinking', thinking: 'Hm.' }];
    expect(stream({ reasoning_content: 'Hm.', thinking_blocks: blocks }).reasoning).toBe('Hm.');
  });

  it('is not the word for yes', () => {
    expect(stream({ thought: true, content: 'Hi' })).toMatchObject({ reasoning: '', text: 'Hi' });
  });
});

describe('usage', () => {
  const counts = { prompt_tokens: 30, completion_tokens: 5, total_tokens: 35, cached_tokens: 20 };

  it.each([
    ['in the choice (Moonshot)', { choices: [{ index: 0, delta: {}, finish_reason: 'stop', usage: counts }] }],
    [
      'in an extension (Groq)',
      { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], x_groq: { usage: counts } },
    ],
  ])('is read where it stands %s', (_, chunk) => {
    const events = openai('chat_completions').events()({ name: '', data: JSON.stringify(chunk) });
    expect(events).toContainEqual({
      type: 'usage',
      usage: { inputTokens: 30, cachedInputTokens: 20, outputTokens: 5, totalTokens: 35 },
    });
  });

  it('is read by the names of the Responses API', () => {
    const choices = [{ index: 0, message: { content: 'Hi' }, finish_reason: 'stop' }];
    const events = openai('chat_completions').response({ choices, usage: { input_tokens: 9, output_tokens: 4 } });
    expect(events).toContainEqual({ type: 'usage', usage: { inputTokens: 9, outputTokens: 4 } });
  });
});

describe('an end marker', () => {
  it.each([
    ['nothing', []],
    ['a role alone', [{ choices: [{ index: 0, delta: { role: 'assistant', content: '' } }] }]],
  ])('behind %s ends no answer', (_, chunks) => {
    const read = openai('chat_completions').events();
    const told = chunks.flatMap((chunk) => read({ name: '', data: JSON.stringify(chunk) }));
    const events = [...told, ...read({ name: '', data: '[DONE]' })];
    expect(events.at(-1)).toMatchObject({ type: 'failure', failure: { class: 'protocol' } });
  });
});
