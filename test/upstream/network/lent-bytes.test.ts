import { describe, expect, it } from 'vitest';

import type { Failure } from '../../../src/core/failure.ts';
import { createErrorBody, JsonBody } from '../../../src/upstream/exchange/body-reader.ts';
import { keptBytes, lendJoined } from '../../../src/upstream/network/lent-bytes.ts';

const LARGE = 200 * 1024;

function lent(...texts: readonly string[]): { readonly text: string; readonly bytes: Uint8Array } {
  let found: { readonly text: string; readonly bytes: Uint8Array } | undefined;
  lendJoined(
    texts.map((text) => Buffer.from(text)),
    (bytes) => {
      found = { text: Buffer.from(bytes).toString(), bytes: keptBytes(bytes) };
    },
  );
  if (found === undefined) throw new Error('nothing was lent');
  return found;
}

describe('bytes that are lent', () => {
  it('are those of all pieces', () => {
    expect(lent('a', 'bc', '', 'd').text).toBe('abcd');
    expect(lent('x'.repeat(LARGE), 'y').text).toBe(`${'x'.repeat(LARGE)}y`);
    expect(lent().text).toBe('');
  });

  it('stand where they are kept, whatever is lent later, and stand in shared memory otherwise', () => {
    const first = lent('first', ' one');
    let shared: Uint8Array | undefined;
    lendJoined([Buffer.from('second'), Buffer.from(' two')], (bytes) => {
      shared = bytes;
    });
    lent('third', ' one');
    expect(Buffer.from(first.bytes).toString()).toBe('first one');
    expect(shared && Buffer.from(shared).toString()).toBe('third one'.padEnd(10, 'o'));
  });

  it('are not overwritten while they are lent, and are lent again after a fault', () => {
    lendJoined([Buffer.from('outer')], (outer) => {
      expect(lent('in', 'ner').text).toBe('inner');
      expect(Buffer.from(outer).toString()).toBe('outer');
    });
    expect(() => {
      lendJoined([Buffer.from('a')], () => {
        throw new Error('fault');
      });
    }).toThrow('fault');
    expect(lent('b', 'c').text).toBe('bc');
  });

  it('of others are kept as they are', () => {
    const own = Buffer.from('own');
    expect(keptBytes(own)).toBe(own);
  });

  it('are kept by whoever reads a body when it is whole', () => {
    const texts: string[] = [];
    const json = new JsonBody(100, ({ data }) => {
      texts.push(data);
      return [];
    });
    const error = createErrorBody(100, (body) => {
      texts.push(body);
      return { class: 'server_error', reason: 'PROVIDER_ERROR', message: '' } as unknown as Failure;
    });
    for (const pieces of [
      ['{"a"', ':'],
      ['1', '}'],
    ])
      for (const body of [json, error])
        lendJoined(
          pieces.map((piece) => Buffer.from(piece)),
          (bytes) => void body.push(bytes),
        );
    json.end();
    error.end();
    expect(texts).toEqual(['{"a":1}', '{"a":1}']);
  });
});
