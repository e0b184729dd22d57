import { describe, expect, test, vi } from 'vitest';

import { chatEvents } from '../../../../src/providers/openai/chat-completions/completion-chunks.ts';

type Fields = Readonly<Record<string, unknown>>;

const FORMS = { keepsReasoning: true };

const CHUNK = { id: 'chatcmpl-1', object: 'chat.completion.chunk', model: 'model-1' };

function chunk(delta: unknown, more: Fields = {}, choice: Fields = {}): string {
  return JSON.stringify({ ...CHUNK, choices: [{ index: 0, delta, finish_reason: null, ...choice }], ...more });
}

const text = (content: string, more: Fields = {}): string => chunk({ content, ...more });
const HALF_A_THOUGHT = { reasoning_content: '\ud83d' };
const thought = (words: string): string => chunk({ reasoning_content: words });

/** Makes each chunk differ from all others in its blanks, so that none repeats one before it. */
function eachOfItsOwn(stream: readonly string[]): readonly string[] {
  return stream.map((data, index) => data.replace(/^\{/, `{${' '.repeat(index)}`));
}

function read(stream: readonly string[]): readonly unknown[] {
  const reader = chatEvents(FORMS);
  return stream.map((data) => reader({ name: '', data }));
}

const USAGE = JSON.stringify({ ...CHUNK, choices: [], usage: { prompt_tokens: 1, completion_tokens: 2 } });
const WORDS = ['Once ', 'upon', ' a\n', 'time "', '\\', '日本', '\u{1f600}', '', ' '];
const texts = WORDS.map((word) => text(word));
const ROLE = chunk({ role: 'assistant', content: '', refusal: null });

describe('chunks that repeat one before them but for a text', () => {
  test.for<readonly [string, readonly string[]]>([
    ['of plain, escaped and foreign words', texts],
    ['with characters cut into halves', [...texts, ...['\\ud83d', '\\ude00', 'a\\ud83d', '\\ude00b'].map(escapedText)]],
    ['of an encoder that escapes all but ASCII', WORDS.map((word) => asciiOnly(text(word)))],
    [
      'with blanks, as of an encoder in Python',
      WORDS.map((word) => text(word).replaceAll(/([:,])(?=["{[n0])/g, '$1 ')),
    ],
    ['of text and reasoning in turn', WORDS.flatMap((word) => [thought(word), text(word)])],
    ['behind a role', [ROLE, ...texts]],
    ['behind a role, with reasoning before', [ROLE, ...WORDS.map(thought), ...texts, chunk({}), ...WORDS.map(thought)]],
    ['behind a role without a word', [chunk({}), ...texts]],
    ['behind a role that tells a tier', [chunk({ role: 'assistant' }, { service_tier: 'flex' }), ...texts, USAGE]],
    [
      'behind a role, all of a tier',
      [ROLE, ...texts].map((data) => data.replace('"model"', '"service_tier":"flex","model"')).concat(USAGE),
    ],
    ['behind a role with a reason that nobody knows', [chunk({}, {}, { finish_reason: 'odd' }), ...texts, '[DONE]']],
    ['behind a role and its usage', [chunk({}, { usage: { prompt_tokens: 3 } }), ...texts, text('x')]],
    ['behind a role and an error', [chunk({}, {}, { error: { message: 'no' } }), ...texts]],
    ['behind a role in escapes', [ROLE.replace('"delta"', String.raw`"\u0064elta"`), ...texts]],
    [
      'behind a role beside a delta of something else',
      ['x', 'y'].map((x) => chunk({ content: x }, { x: { delta: {} } })),
    ],
    ['behind a role with a delta in front', [{ role: 'a' }, { content: 'b' }].map(behindAnother)],
    ['behind a role and a delta twice', [ROLE.replace('"delta":', '"delta":{"role":"x"},"delta":'), ...texts]],
    [
      'behind roles of several choices',
      [ROLE, ...texts].map((data) => data.replace('}]', '},{"index":1,"delta":{}}]')),
    ],
    ['behind a role that a text quotes', [ROLE, text(ROLE), text('x","refusal":"no'), ...texts, text(ROLE)]],
    [
      'with an end and chunks behind it',
      [...texts, chunk({}, {}, { finish_reason: 'stop' }), ...texts, '[DONE]', ...texts],
    ],
    [
      'with usage in between',
      [...texts, text('x', {}).replace('"choices"', '"usage":{"prompt_tokens":1},"choices"'), ...texts],
    ],
    ['with usage in each', WORDS.map((word) => chunk({ content: word }, { usage: { prompt_tokens: 3 } }))],
    ['of which each says half a character of reasoning besides', WORDS.map((word) => text(word, HALF_A_THOUGHT))],
    [
      'of reasoning under one name, and the same under another',
      WORDS.map((word) => chunk({ content: '', reasoning_content: word, reasoning: 'r' })),
    ],
    ['of a refusal beside empty texts', ['No', ', ', 'never'].map((refusal) => chunk({ content: '', refusal }))],
    ['of a refusal that turns to text', ['', '', '', 'a', 'b'].map((word) => text(word, { refusal: 'No' }))],
    ['with the reasons of tokens', WORDS.map((word) => chunk({ content: word }, {}, { logprobs: { content: [] } }))],
    ['with a text of the same name elsewhere', WORDS.map((word) => chunk({ x: { content: 'x' }, content: word }))],
    ['with a field twice', WORDS.map((word) => text(word).replace('"content"', '"content":"first","content"'))],
    [
      'with a state that grows',
      WORDS.map((word) => text(word, { extra_content: { google: { thought_signature: 'a' } } })),
    ],
    ['of several choices', WORDS.map((word) => `${text(word).slice(0, -2)},{"index":1,"delta":{"content":"other"}}]}`)],
    ['of which one is broken', [...texts, text('x').replace('x', 'x"y'), ...texts]],
    ['of which one is cut off', [...texts, text('x').slice(0, -3), ...texts]],
    ['of which one has a raw line feed in its text', [...texts, text('x').replace('x', '\n'), ...texts]],
    ['of which one ends in half an escape', [...texts, text('x').replace('x', '\\'), ...texts]],
    ['of which one names another model', [...texts, text('x').replace('model-1', 'model-2'), ...texts]],
    [
      'of which one calls a tool',
      [...texts, chunk({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f' } }] }), ...texts],
    ],
    [
      'of which one is of another tier',
      [...texts, text('x').replace('"model"', '"service_tier":"flex","model"'), ...texts, USAGE],
    ],
    ['of which some say nothing', WORDS.flatMap((word) => [text(word), chunk({}), text(word)])],
    ['that differ in a number each', WORDS.map((word, index) => chunk({ content: word }, { created: index }))],
  ])('are read as others: %s', ([, stream]) => {
    expect(read(stream)).toEqual(read(eachOfItsOwn(stream)));
    expect(read([...stream, ...stream])).toEqual(read(eachOfItsOwn([...stream, ...stream])));
  });

  test('are not parsed again', () => {
    const reader = chatEvents(FORMS);
    const parse = vi.spyOn(JSON, 'parse');
    for (let index = 0; index < 1_000; index++) reader({ name: '', data: text(`word ${index}`) });
    const parsed = parse.mock.calls.length;
    parse.mockRestore();
    expect(parsed).toBeLessThan(5);
  });

  test('are not parsed at all behind a chunk that says nothing', () => {
    const reader = chatEvents(FORMS);
    reader({ name: '', data: ROLE });
    const parse = vi.spyOn(JSON, 'parse');
    const told = ['Once ', 'upon'].map((word) => reader({ name: '', data: text(word) }));
    const parsed = parse.mock.calls.length;
    parse.mockRestore();
    expect(parsed).toBe(0);
    expect(told).toEqual(
      ['Once ', 'upon'].map((word) => [{ type: 'delta', delta: { kind: 'text', index: 0, text: word } }]),
    );
  });
});

/** Another object has the name of the delta, and stands before it. */
function behindAnother(delta: Fields): string {
  return chunk(delta).replace('"choices"', '"delta":{"content":"other"},"choices"');
}

function escapedText(inside: string): string {
  return text('@').replace('@', inside);
}

function asciiOnly(json: string): string {
  return json.replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
