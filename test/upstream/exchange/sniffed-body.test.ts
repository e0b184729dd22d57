import { describe, expect, it } from 'vitest';

import { adapterFor } from '../../../src/providers/registry.ts';
import { chunk, head, lastChunk } from '../../support/chaos-upstream.ts';
import { failureOf, useExchangeHarness } from './exchange-harness.ts';

const harness = useExchangeHarness();
const adapter = adapterFor('openai', 'chat_completions', 'http://127.0.0.1');

const DELTA = '{"choices":[{"index":0,"delta":{"content":"Hello"}}]}';
const STOP = '{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}';
const EVENTS = `data: ${DELTA}\n\ndata: ${STOP}\n\ndata: [DONE]\n\n`;
const WHOLE = '{"choices":[{"index":0,"message":{"content":"Hello"},"finish_reason":"stop"}]}';
const PRETTY = JSON.stringify(JSON.parse(WHOLE), undefined, 2);

/** Answers with a type of content and a body, cut into pieces of a length. */
function answer(type: string, body: string, length: number): void {
  const bytes = Buffer.from(body);
  const pieces = Array.from({ length: Math.ceil(bytes.length / length) }, (_, at) =>
    chunk(bytes.subarray(at * length, (at + 1) * length)),
  );
  harness.upstream.script(head(200, { 'content-type': type, 'transfer-encoding': 'chunked' }), ...pieces, lastChunk);
}

describe.each([1, 3, 1_000])('an answer that comes in pieces of %i bytes', (length) => {
  describe.each([true, false])('where a stream was asked for: %s', (stream) => {
    it.each([
      ['events', 'application/json', EVENTS],
      ['events', 'text/plain; charset=utf-8', EVENTS],
      ['events', 'application/octet-stream', EVENTS],
      ['events', 'text/html', EVENTS],
      ['events behind a comment', 'application/json', `: wait\n\n${EVENTS}`],
      ['events with names', 'text/plain', `event: message\n${EVENTS}`],
      ['events behind a byte order mark', 'text/plain', `\uFEFF${EVENTS}`],
      ['a document', 'text/plain', WHOLE],
      ['a document behind blanks', 'application/octet-stream', `\n\n ${WHOLE}`],
      ['a document', 'text/event-stream', WHOLE],
      ['a document in lines', 'text/event-stream', PRETTY],
    ])('has %s in it and says %s, and is read as what it is', async (_, type, body) => {
      answer(type, body, length);
      const events = await harness.open({ adapter, stream }).last;
      expect(events).toContainEqual(
        expect.objectContaining({ type: 'output', value: expect.objectContaining({ text: 'Hello' }) }),
      );
      expect(events.at(-1)).toEqual({ type: 'end' });
    });
  });

  it.each([
    ['a page', 'text/html', '<html>Sign in</html>'],
    ['words', 'text/plain', 'dat is no event'],
    ['nothing', 'text/plain', '\n'],
    ['a page', 'text/event-stream', '<html>Sign in</html>'],
    ['half a document', 'text/event-stream', WHOLE.slice(0, -5)],
  ])('and has %s in it as %s is no answer', async (_, type, body) => {
    answer(type, body, length);
    expect(['protocol', 'truncated']).toContain((await failureOf(harness.open({ adapter }))).class);
  });
});
