import * as fc from 'fast-check';
import { expect, it } from 'vitest';

import { JsonSource } from '../../../../src/providers/shared/json/source-text.ts';
import { asRecord } from '../../../../src/providers/shared/json/value.ts';

/** Parses a text and writes what stands in its field `args`. */
function written(text: string): string {
  const root: unknown = JSON.parse(text);
  const source = new JsonSource();
  source.read(text, root);
  return source.write(asRecord(root)?.['args']);
}

it('writes a part as it stands in its text, but for blanks', () => {
  const part =
    '{"big":9007199254740993,"f":0.10,"e":1E+3,"z":-0,"l":[[1.50],{"s":"1.0 \\n"}],"n":null,"__proto__":{"x":1e400}}';
  expect(written(`{"first":[{"args":1}],"args":${part},"last":12345678901234567890}`)).toBe(part);
});

it('writes what stands for no object as JSON does', () => {
  expect(written('{"args":7}')).toBe('7');
  expect(written('{"args":[true,null]}')).toBe('[true,null]');
  expect(new JsonSource().write({ n: 1 })).toBe('{"n":1}');
});

it('writes any value so that it reads as the same', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = `{"other":1e5,"args":${JSON.stringify(value)}}`;
      expect(JSON.parse(written(text))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
    { numRuns: 200, seed: 7 },
  );
});
