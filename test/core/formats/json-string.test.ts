import { expect, test } from 'vitest';

import { endOfJsonString, jsonStringOf } from '../../../src/core/formats/json-string.ts';

/** What a parser says of a string of JSON; undefined where it is none. */
function parsed(inside: string): unknown {
  try {
    return JSON.parse(`"${inside}"`);
  } catch {
    return undefined;
  }
}

test('the inside of a string of JSON ends where a parser says so, and means the same', () => {
  const pieces = [
    'a',
    'é',
    '\u{1f600}',
    '\ud83d',
    '"',
    '\\',
    '/',
    'n',
    'u',
    'x',
    '00e9',
    'D83D',
    '\\u',
    '\n',
    '\t',
    '\u2028',
    ' ',
  ];
  let state = 7;
  const random = (below: number): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
  for (let round = 0; round < 20_000; round++) {
    const inside = Array.from({ length: random(7) }, () => pieces[random(pieces.length)] ?? '').join('');
    const value = parsed(inside);
    const isWhole = endOfJsonString(`{"${inside}"}`, 2) === 2 + inside.length;
    expect(isWhole).toBe(value !== undefined);
    if (isWhole) expect(jsonStringOf(inside)).toBe(value);
  }
});

test('a string of JSON that does not end has no end', () => {
  for (const text of ['"abc', '"a\\"', '"a\\u00', '"\\', '"']) expect(endOfJsonString(text, 1)).toBe(-1);
});
