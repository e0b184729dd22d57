import { describe, expect, test } from 'vitest';

import { chatEvents } from '../../../src/providers/openai/chat-completions/completion-chunks.ts';
import type { EventReader } from '../../../src/providers/port/adapter.ts';
import { readingQuirksInBand } from '../../../src/providers/shared/quirks/read-quirk.ts';
import { withAnswerLimit } from '../../../src/upstream/exchange/answer-limit.ts';
import { createEventBody } from '../../../src/upstream/exchange/body-reader.ts';
import { createFraming } from '../../../src/upstream/exchange/framing.ts';
import { JoinedEvents } from '../../../src/upstream/exchange/joined-events.ts';

type Fields = Readonly<Record<string, unknown>>;

const CHUNK = { id: 'chatcmpl-1', object: 'chat.completion.chunk', model: 'model-1' };

function event(delta: unknown, choice: Fields = {}, more: Fields = {}): string {
  const data = { ...CHUNK, choices: [{ index: 0, delta, logprobs: null, finish_reason: null, ...choice }], ...more };
  return `data: ${JSON.stringify(data)}\n\n`;
}

const text = (content: string): string => event({ content });
const inside = (escaped: string): string => text('@').replace('@', escaped);
const thought = (words: string): string => event({ reasoning_content: words });

const ROLE = event({ role: 'assistant', content: '' });
const FINISH = event({}, { finish_reason: 'stop' });
const USAGE = `data: ${JSON.stringify({ ...CHUNK, choices: [], usage: { prompt_tokens: 1, completion_tokens: 2 } })}\n\n`;
const DONE = 'data: [DONE]\n\n';

const WORDS = ['Once ', 'upon', ' a\n', 'time "', '\\', '日本', '\u{1f600}', '', ' ', 'é', '/'];
const texts = WORDS.map(text);
const asciiOnly = (data: string): string =>
  data.replaceAll(/[^ -~\n]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

function newReader(maxBytes: number): EventReader {
  return withAnswerLimit(readingQuirksInBand(chatEvents({ keepsReasoning: true })), maxBytes);
}

/** Hides from whoever reads that events repeat each other. */
function oneByOne(reader: EventReader): EventReader {
  return (wire) => reader(wire);
}

function read(pieces: readonly Uint8Array[], reader: EventReader): readonly unknown[] {
  const body = createEventBody(createFraming('sse', { eventChars: 100_000 }), reader);
  const told: unknown[] = [];
  const tell = (step: typeof body.end): void => {
    const joined = new JoinedEvents();
    joined.add(step());
    told.push(joined.end());
  };
  try {
    for (const piece of pieces) tell(() => body.push(piece));
    tell(() => body.end());
    told.push(body.unfinished());
  } catch (error) {
    told.push(error);
  }
  return told;
}

function cut(bytes: Uint8Array, size: number): readonly Uint8Array[] {
  const count = Math.ceil(bytes.length / size);
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * size, (index + 1) * size));
}

function expectSame(stream: readonly (string | Buffer)[], maxBytes = 1_000_000): void {
  const each = stream.map((said) => (typeof said === 'string' ? Buffer.from(said) : said));
  const bytes = Buffer.concat(each);
  for (const size of [bytes.length, 1_000, 300, 64, 7, 1]) {
    const pieces = cut(bytes, size);
    expect(read(pieces, newReader(maxBytes))).toEqual(read(pieces, oneByOne(newReader(maxBytes))));
  }
  expect(read(each, newReader(maxBytes))).toEqual(read(each, oneByOne(newReader(maxBytes))));
}

describe('events that repeat one before them but for a text are read as others', () => {
  test.for<readonly [string, readonly string[]]>([
    ['with all that stands around them', [ROLE, ...texts, FINISH, USAGE, DONE]],
    ['behind the end', [ROLE, ...texts, FINISH, ...texts, DONE, ...texts]],
    ['without an end', [ROLE, ...texts]],
    ['where the last is cut off', [ROLE, ...texts, text('cut').slice(0, -20)]],
    ['where the last lacks its empty line', [ROLE, ...texts, text('cut').slice(0, -2)]],
    ['of text and reasoning in turn', [ROLE, ...WORDS.flatMap((word) => [thought(word), text(word)]), FINISH, DONE]],
    ['of an encoder that escapes all but ASCII', texts.map(asciiOnly)],
    [
      'with characters cut into halves',
      [...texts, ...['\\ud83d', '\\ude00', 'a\\uD83D', '\\uDE00b', '\\ud83d'].map(inside)],
    ],
    ['of empty texts', [text('a'), text('b'), ...Array.from({ length: 9 }, () => text('')), FINISH]],
    ['with blanks behind their colons', texts.map((said) => said.replaceAll(/([:,])(?=["{[n0])/g, '$1 '))],
    ['with other line ends', texts.map((said) => said.replaceAll('\n', '\r\n'))],
    [
      'with other line ends now and then',
      texts.map((said, at) => (at % 3 === 2 ? said.replaceAll('\n', '\r\n') : said)),
    ],
    [
      'with a single carriage return before the end',
      texts.map((said, at) => (at > 6 ? said.replace('\n\n', '\r\n\n') : said)),
    ],
    ['without the blank behind the name of the field', texts.map((said) => said.replace('data: ', 'data:'))],
    ['with names', texts.map((said, at) => (at === 5 ? `event: message\n${said}` : said))],
    ['with ids and comments', texts.flatMap((said, at) => [`: ${String(at)}\n`, `id: ${String(at)}\n${said}`])],
    ['with pings in between', texts.flatMap((said) => [': ping\n\n', said])],
    ['with empty lines in between', texts.flatMap((said) => ['\n', said, '\n\n'])],
    ['of several lines', texts.map((said) => said.replace(',"model"', ',\ndata: "model"'))],
    [
      'of several lines, of which one has no name',
      texts.map((said, at) => said.replace(',"model"', `,\n${at === 6 ? '' : 'data: '}"model"`)),
    ],
    ['with a line behind the data', texts.map((said, at) => (at === 6 ? said.replace('\n\n', '\ndata:\n\n') : said))],
    ['behind a byte order mark', ['\uFEFF', ...texts]],
    ['of which one has a byte order mark in front', [...texts, '\uFEFF', ...texts, ...texts]],
    ['of which one has a raw line feed in its text', [...texts, inside('a\nb'), ...texts, FINISH]],
    ['of which one has another raw control character', [...texts, inside('a\tb'), ...texts]],
    ['of which one ends in half an escape', [...texts, inside('\\'), ...texts]],
    ['of which one has an escape that is none', [...texts, inside('\\x'), ...texts]],
    ['of which one has a short escape', [...texts, inside('\\u12'), text('34'), ...texts]],
    ['of which one is broken', [...texts, inside('x"y'), ...texts]],
    ['of which one says more behind its text', [...texts, inside('x","refusal":"no'), ...texts]],
    ['of which one has the text of another within', [...texts, text(text('a')), ...texts]],
    ['of which one names another model', [...texts, text('x').replace('model-1', 'model-2'), ...texts]],
    ['of which one has usage', [...texts, event({ content: 'x' }, {}, { usage: { prompt_tokens: 3 } }), ...texts]],
    ['of which one is an error', [...texts, 'data: {"error":{"message":"no","code":"server_error"}}\n\n', ...texts]],
    ['of which one is an error without a field', [...texts, 'error: {"message":"no"}\n\n', ...texts]],
    [
      'of which one calls a tool',
      [
        ...texts,
        event({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{}' } }] }),
        ...texts,
        FINISH,
      ],
    ],
    ['of which one is too long', [...texts, text('x'.repeat(50_000)), text('y'.repeat(120_000)), ...texts]],
    ['of several choices', texts.map((said) => said.replace('}]', '},{"index":1,"delta":{"content":"other"}}]'))],
    ['that differ in a number each', WORDS.map((word, created) => event({ content: word }, {}, { created }))],
    ['that refuse', ['No', ', ', 'never'].map((refusal) => event({ content: '', refusal }))],
    [
      'with a state that grows',
      WORDS.map((word) => event({ content: word, extra_content: { google: { thought_signature: 'a' } } })),
    ],
  ])('%s', ([, stream]) => {
    expectSame(stream);
    expectSame([...stream, ...stream]);
  });

  test('with bytes in them that are no UTF-8', () => {
    const [before, behind] = [[ROLE, ...texts], texts].map((stream) => Buffer.from(stream.join('')));
    const broken = Buffer.concat([Buffer.from(inside('a')), Buffer.from([0xff]), Buffer.from(inside('b'))]);
    expectSame([Buffer.concat([before ?? broken, broken, behind ?? broken])]);
  });

  test('and count as much against the limit of an answer', () => {
    const stream = Array.from({ length: 20 }, (_, at) => text(at % 4 === 0 ? '' : 'word'));
    for (let maxBytes = 200; maxBytes < 1_200; maxBytes += 20) expectSame(stream, maxBytes);
  });

  test('whatever stands in them', () => {
    const kinds = [
      ...texts,
      ...texts.map(asciiOnly),
      thought('a'),
      thought('b'),
      ROLE,
      ': ping\n\n',
      '\n',
      inside('"'),
    ];
    let state = 1;
    const random = (below: number): number => {
      state = (state * 48_271) % 2_147_483_647;
      return state % below;
    };
    for (let round = 0; round < 60; round++) {
      expectSame([text('a'), text('b'), ...Array.from({ length: 40 }, () => kinds[random(kinds.length)] ?? '')]);
    }
  });
});

test('repeated events are not framed one by one', () => {
  const framing = createFraming('sse');
  let fed = 0;
  const feed = (piece: string): ReturnType<typeof framing.feed> => {
    fed += 1;
    return framing.feed(piece);
  };
  const body = createEventBody({ ...framing, feed }, newReader(1_000_000));
  const words = Array.from({ length: 1_000 }, (_, at) => `word${String(at)} `);
  const told = body.push(Buffer.from([ROLE, ...words.map(text), FINISH].join('')));
  expect(fed).toBeLessThan(5);
  expect(told).toContainEqual({ type: 'delta', delta: { kind: 'text', index: 0, text: words.join('') } });
});
