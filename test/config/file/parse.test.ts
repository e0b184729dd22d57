import { describe, expect, test } from 'vitest';

import { parseConfigText } from '../../../src/config/file/parse.ts';
import { configErrorOf, loadText } from '../loading.ts';

describe('a file that is not YAML is refused with line and column, and without its text', () => {
  test.each([
    ['a: [1', 'understudy.yaml:1:6: the indentation is wrong, or a bracket is not closed'],
    ['retry: {}\nserver: {}\nretry: {}', 'understudy.yaml:3:1: this field occurs twice'],
    ['{ "retry": {}, "retry": {} }', 'understudy.yaml:1:16: this field occurs twice'],
    ['retry:\n\tjitter: NONE', 'understudy.yaml:2:1: tabs cannot indent; use spaces'],
    ['a: 1\n---\nb: 2', 'understudy.yaml:2:1: the file must hold one document'],
    ['a: !secret sk-hidden', 'understudy.yaml:1:4: this tag is not known'],
    ['a: *sk-hidden', 'understudy.yaml: an alias has no anchor, or there are too many aliases'],
    ['? [sk-hidden]\n: 1', 'understudy.yaml:1:3: the name of a field must be a text'],
  ])('%j', (file, message) => {
    expect(configErrorOf(() => loadText(file))).toBe(message);
  });

  test('for each fault that it has', () => {
    const message = configErrorOf(() => loadText('server: {}\nserver: {}\nretry: {}\nretry: "\\q"'));
    expect(message?.split('\n')).toEqual([
      'understudy.yaml:2:1: this field occurs twice',
      'understudy.yaml:4:1: this field occurs twice',
      'understudy.yaml:4:9: this escape sequence is not valid',
    ]);
  });
});

test('a variable that is a whole value within brackets needs no quotes', () => {
  const text =
    'ledger: { postgres: ${DATABASE_URL}, keep: 400d } # ${X}, as it is\nlist: [${A}, b, ${C}]\nplain: a, ${B}, c\n';
  expect(parseConfigText(text, 'c.yaml')).toEqual({
    ledger: { postgres: '${DATABASE_URL}', keep: '400d' },
    list: ['${A}', 'b', '${C}'],
    plain: 'a, ${B}, c',
  });
});
