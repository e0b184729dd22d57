import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { FailureError } from '../../../src/core/failure.ts';
import type { WireEvent } from '../../../src/providers/port/adapter.ts';
import { createFraming } from '../../../src/upstream/exchange/framing.ts';
import type { Framing } from '../../../src/upstream/exchange/framing.ts';

const encoder = new TextEncoder();

function feed(framing: Framing, pieces: readonly (string | Uint8Array)[]): readonly WireEvent[] {
  const events = pieces.flatMap((piece) => [
    ...framing.push(typeof piece === 'string' ? encoder.encode(piece) : piece),
  ]);
  return [...events, ...framing.end()];
}

function bytesOf(text: string): readonly Uint8Array[] {
  return [...encoder.encode(text)].map((byte) => Uint8Array.of(byte));
}

function failureClass(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof FailureError) return error.failure.class;
    throw error;
  }
  return 'none';
}

const data = (...texts: readonly string[]): readonly WireEvent[] => texts.map((text) => ({ name: '', data: text }));

describe('server-sent events', () => {
  const odd =
    '\uFEFF: hello\r\ndata: one\r\n\r\nevent: named\rdata: zwei ü 😀\r\rid: 7\nretry: x\nnonsense: y\ndata: a\ndata:b\ndata\n\n: ping\n\ndata:  two spaces\n\n';
  const events: readonly WireEvent[] = [
    { name: '', data: 'one' },
    { name: 'named', data: 'zwei ü 😀' },
    { name: '', data: 'a\nb\n' },
    { name: '', data: ' two spaces' },
  ];

  it('reads BOM, all line ends, comments, names and several data lines', () => {
    expect(feed(createFraming('sse'), [odd])).toEqual(events);
  });

  it('reads the same from single bytes, through characters and line ends', () => {
    expect(feed(createFraming('sse'), bytesOf(odd))).toEqual(events);
  });

  it('reads the same however it is cut', () => {
    const bytes = encoder.encode(odd);
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 30 }), (cuts) => {
        const edges = [0, ...cuts.sort((one, other) => one - other), bytes.length];
        const pieces = edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
        expect(feed(createFraming('sse'), pieces)).toEqual(events);
      }),
      { numRuns: 200, seed: 7 },
    );
  });

  it.each(['data: tw', 'data: {"a":', 'data: [DON', 'data: {"a":1}\ndata: {"b"', 'data: "text"', 'data: 12'])(
    'leaves out a last event that may be cut off, and says so (%j)',
    (last) => {
      const framing = createFraming('sse');
      expect(feed(framing, [`data: one\n\n${last}`])).toEqual(data('one'));
      expect(framing.endedWithinEvent).toBe(true);
    },
  );

  it.each(['[DONE]', '{"a":1}', '{"a":1}\ndata: [DONE]'])(
    'reads a last event that lacks only its blank line (%j)',
    (last) => {
      for (const end of ['', '\n', '\r\n']) {
        const framing = createFraming('sse');
        expect(feed(framing, [`data: one\n\ndata: ${last}${end}`])).toEqual(data('one', last.replace('data: ', '')));
        expect(framing.endedWithinEvent).toBe(false);
      }
    },
  );

  it('reads lines of a field named error as events of that name, however they are cut', () => {
    const text = 'error: {"code":400}\n\ndata: an error: none\n\nerror:x\r\n\r\neror: y\n\n';
    const expected = [{ name: 'error', data: '{"code":400}' }, ...data('an error: none'), { name: 'error', data: 'x' }];
    expect(feed(createFraming('sse'), [text])).toEqual(expected);
    expect(feed(createFraming('sse'), bytesOf(text))).toEqual(expected);
    for (let cut = 1; cut < text.length; cut += 1) {
      expect(feed(createFraming('sse'), [text.slice(0, cut), text.slice(cut)])).toEqual(expected);
    }
  });

  it.each(['data: one\n\n', 'data: one\r\n\r\n', ': only a comment\n', ''])(
    'does not say so where nothing is missing (%j)',
    (text) => {
      const framing = createFraming('sse');
      feed(framing, [text]);
      expect(framing.endedWithinEvent).toBe(false);
    },
  );

  it('reports a body that ends within a character as cut off, not as bad text', () => {
    const framing = createFraming('sse');
    expect(feed(framing, ['data: one\n\n', encoder.encode('ü').subarray(0, 1)])).toEqual(data('one'));
    expect(framing.endedWithinEvent).toBe(true);
  });

  it('refuses text that is not UTF-8', () => {
    const framing = createFraming('sse');
    expect(failureClass(() => framing.push(Uint8Array.of(0x64, 0xff, 0x0a)))).toBe('protocol');
  });

  it.each([
    ['a line', ['data: ', 'x'.repeat(2000)]],
    ['an event of many lines', Array.from({ length: 300 }, () => 'data: xxxx\n')],
  ])('refuses %s that is longer than allowed', (_what, pieces) => {
    const framing = createFraming('sse', { eventChars: 1000 });
    expect(failureClass(() => feed(framing, pieces))).toBe('protocol');
  });

  it.each([
    'error: {"code":400,"message":"too long"}\n\n',
    'error:{"code":400,"message":"too long"}\r\n',
    ': hello\n\nerror: {"code":400,"message":"too long"}\n',
  ])('reads an error where data belong: %j', (text) => {
    const error = { name: 'error', data: '{"code":400,"message":"too long"}' };
    expect(feed(createFraming('sse'), [text])).toEqual([error]);
    expect(feed(createFraming('sse'), bytesOf(text))).toEqual([error]);
  });

  it('reads the object of an error that stands alone in its line, and no other line', () => {
    const line = '{"error":{"message":"a: b"}}';
    const text = `data: one\n\n${line}\n{"error":\n{"text":"x"}\nerrors: x\nevents: x\n\n`;
    expect(feed(createFraming('sse'), [text])).toEqual([...data('one'), { name: 'error', data: line }]);
  });

  it('takes ten thousand events in one piece', () => {
    expect(feed(createFraming('sse'), ['data: x\n\n'.repeat(10_000)])).toHaveLength(10_000);
  });
});

describe('newline-delimited JSON', () => {
  const text = '\uFEFF{"a":"ü"}\r\n\n  \n{"b":1}\n{"c":2}';

  it('reads lines, blank ones aside, and a last one without its line feed', () => {
    expect(feed(createFraming('ndjson'), [text])).toEqual(data('{"a":"ü"}', '{"b":1}', '{"c":2}'));
  });

  it('reads the same from single bytes', () => {
    expect(feed(createFraming('ndjson'), bytesOf(text))).toEqual(data('{"a":"ü"}', '{"b":1}', '{"c":2}'));
  });

  it('leaves out half a document at the end, and says so', () => {
    const framing = createFraming('ndjson');
    expect(feed(framing, ['{"a":1}\n{"b":'])).toEqual(data('{"a":1}'));
    expect(framing.endedWithinEvent).toBe(true);
  });

  it('refuses a line that is longer than allowed, whole or in pieces', () => {
    const long = `{"a":"${'x'.repeat(2000)}"}\n`;
    expect(failureClass(() => createFraming('ndjson', { eventChars: 1000 }).push(encoder.encode(long)))).toBe(
      'protocol',
    );
    expect(failureClass(() => feed(createFraming('ndjson', { eventChars: 1000 }), bytesOf(long)))).toBe('protocol');
  });

  it('refuses text that is not UTF-8', () => {
    expect(failureClass(() => createFraming('ndjson').push(Uint8Array.of(0x7b, 0xc3, 0x28, 0x0a)))).toBe('protocol');
  });
});
