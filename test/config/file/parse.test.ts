import { describe, expect, test } from 'vitest';

import { parseConfigText } from '../../../src/config/file/parse.ts';
import { configErrorOf, loadText } from '../loading.ts';

describe('a file that is not YAML is refused with line and column, and without its text', () => {
  test.each([
    ['a: [ { b: c\n', 'understudy.yaml:2:1: a[0].b: the indentation is wrong, or a bracket is not closed'],
    ['a: [1', 'understudy.yaml:1:6: a[0]: the indentation is wrong, or a bracket is not closed'],
    ['retry: {}\nserver: {}\nretry: {}', 'understudy.yaml:3:1: retry: this field occurs twice'],
    ['{ "retry": {}, "retry": {} }', 'understudy.yaml:1:16: retry: this field occurs twice'],
    ['retry:\n\tjitter: NONE', 'understudy.yaml:2:1: retry: tabs cannot indent; use spaces'],
    ['a: 1\n---\nb: 2', 'understudy.yaml:2:1: the file must hold one document'],
    ['a: !secret sk-hidden', 'understudy.yaml:1:4: a: this tag is not known'],
    ['a: *sk-hidden', 'understudy.yaml:1:4: a: this alias has no anchor above it'],
    ['? [sk-hidden]\n: 1', 'understudy.yaml:1:3: the name of a field must be a text'],
  ])('%j', (file, message) => {
    expect(configErrorOf(() => loadText(file))).toBe(message);
  });

  test('for each fault that it has', () => {
    const message = configErrorOf(() => loadText('server: {}\nserver: {}\nretry: {}\nretry: "\\q"'));
    expect(message?.split('\n')).toEqual([
      'understudy.yaml:2:1: server: this field occurs twice',
      'understudy.yaml:4:1: retry: this field occurs twice',
      'understudy.yaml:4:9: retry: this escape sequence is not valid',
    ]);
  });
});

describe('a merge of mappings', () => {
  const shared = 'targets:\n  - &base { name: a, provider: mock, models: [m] }\n';

  test('is carried out', () => {
    const { targets } = loadText(`${shared}  - { <<: *base, name: b }\n`);
    expect(targets.map(({ name, models }) => [name, models])).toEqual([
      ['a', ['mock-ok', 'm']],
      ['b', ['mock-ok', 'm']],
    ]);
  });

  test.each([
    [`${shared}  - { <<: *base, name: b, models: 3 }`, 'targets[1].models: must be a list, not 3'],
    ['targets:\n  - &base { name: a, provider: mock, api_kee: k }\n', 'targets[0].api_kee: unknown field'],
    [
      `${shared}  - { <<: 3, name: b }`,
      'understudy.yaml:3:7: targets[1]: `<<` takes a mapping, an alias of one, or a list of these',
    ],
    [`${shared}  - { <<: *none, name: b }`, 'understudy.yaml:3:11: targets[1]: this alias has no anchor above it'],
    [`${shared}  - { <<: *base, <<: *base, name: b }`, 'understudy.yaml:3:18: targets[1]: this field occurs twice'],
  ])('names the field of what is wrong: %j', (file, message) => {
    expect(configErrorOf(() => loadText(file))).toBe(message);
  });
});

test('a byte order mark and the line ends of Windows are nothing to complain of', () => {
  const text = '\uFEFFtargets:\r\n  - name: a\r\n    provider: mock\r\n    model: m\r\n';
  expect(loadText(text).targets[0]?.model).toBe('m');
});

test.each([
  ['a: 1\r\nb: 2\r\nc: [1\r\nd: 3\r\n', 'understudy.yaml:4:1: d: the indentation is wrong, or a bracket is not closed'],
  ['a: [${A}, ${B}, ${C}]\nb: [\n  c, *none]\n', 'understudy.yaml:3:6: b[1]: this alias has no anchor above it'],
])('lines are counted as editors do, also behind line ends of Windows and bare variables: %j', (file, message) => {
  expect(configErrorOf(() => loadText(file))).toBe(message);
});

test('a file in UTF-16 is refused by name', () => {
  expect(configErrorOf(() => loadText('t\0a\0'))).toBe('understudy.yaml: is not UTF-8; save it as such');
});

test('a variable that is a whole value within brackets needs no quotes', () => {
  const text =
    'ledger: { postgres: ${DATABASE_URL}, keep: 400d } # ${X}, as it is\nlist: [${A}, b, ${C}]\nfile: { k: ${file:/run/a.key} }\nplain: a, ${B}, c\n';
  expect(parseConfigText(text, 'c.yaml')).toEqual({
    ledger: { postgres: '${DATABASE_URL}', keep: '400d' },
    list: ['${A}', 'b', '${C}'],
    file: { k: '${file:/run/a.key}' },
    plain: 'a, ${B}, c',
  });
});
