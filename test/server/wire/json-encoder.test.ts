import { expect, test } from 'vitest';
import { JSON_ENCODER } from '../../../src/server/wire/json-encoder.ts';

const decode = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));

test.each([
  ['\ud800', '\ufffd'],
  ['a\udfff', 'a\ufffd'],
  ['\udc00\ud83d', '\ufffd\ufffd'],
  ['a pair 😀 and half \ud83d', 'a pair 😀 and half \ufffd'],
  [String.raw`written out \ud800`, String.raw`written out \ud800`],
  ['behind a backslash \\\ud800', 'behind a backslash \\\ufffd'],
  [String.raw`\\\ud800`, String.raw`\\\ud800`],
  ['plain', 'plain'],
])('%j leaves as %j', (text, expected) => {
  const bytes = JSON_ENCODER.encode(JSON.stringify({ [text]: [text, text] }));
  expect(Buffer.from(bytes).toString()).not.toMatch(/(?<!\\)(\\\\)*\\ud/);
  expect(decode(bytes)).toEqual({ [expected]: [expected, expected] });
});
