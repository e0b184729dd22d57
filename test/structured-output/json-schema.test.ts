import { describe, expect, it } from 'vitest';

import type { AnswerCheck } from '../../src/structured-output/json-schema.ts';
import { answerCheck, MAX_SCHEMA_BYTES } from '../../src/structured-output/json-schema.ts';

const DRAFT_07 = 'http://json-schema.org/draft-07/schema#';

function check(schema: unknown): AnswerCheck {
  const made = answerCheck(typeof schema === 'string' ? schema : JSON.stringify(schema));
  if (typeof made !== 'function') throw new Error(`unusable: ${made.problem}`);
  return made;
}

function problem(schema: unknown): string {
  const made = answerCheck(typeof schema === 'string' ? schema : JSON.stringify(schema));
  return typeof made === 'function' ? '' : made.problem;
}

describe('the check of a schema', () => {
  const person = { type: 'object', properties: { age: { type: 'integer', minimum: 0 } }, required: ['age'] };

  it.each([
    ['{"age":1}', undefined],
    ['{"age":-1}', 'must be >= 0 at /age'],
    ['{}', "must have required property 'age'"],
    ['[]', 'must be object'],
    ['', 'it is not JSON'],
    ['```json\n{"age":1}\n```', 'it is not JSON'],
  ])('says of %j what is wrong with it', (json, expected) => {
    expect(check(person)(json)).toBe(expected);
  });

  it('takes decimal multiples for what they are, though no binary fraction is', () => {
    const cents = check({ type: 'number', multipleOf: 0.01 });
    const prices = Array.from({ length: 10_001 }, (_, index) => (index / 100).toFixed(2));
    expect(check({ items: { multipleOf: 0.01 } })(`[${prices.join()}]`)).toBeUndefined();
    expect(cents('1234567.89')).toBeUndefined();
    for (const between of ['0.075', '19.999', '0.070001']) expect(cents(between)).toBe('must be multiple of 0.01');
    expect(check({ multipleOf: 2 })('3')).toBe('must be multiple of 2');
  });

  it.each([
    [String.raw`^\d{3}\-\d{4}$`, '555-0100', '5550100'],
    [String.raw`^\#[0-9a-f]{6}$`, '#00ff7f', '00ff7f'],
    [String.raw`^[\w-.]+\@[\w-.]+$`, 'a.b@c-d.org', 'a.b'],
    [String.raw`^\p{Lu}.$`, 'Ä🎉', 'ä🎉'],
  ])('takes the pattern %s, also where it escapes more than it need', (pattern, right, wrong) => {
    expect(check({ pattern })(JSON.stringify(right))).toBeUndefined();
    expect(check({ patternProperties: { [pattern]: false } })(JSON.stringify({ [right]: 1 }))).toBeDefined();
    expect(check({ pattern })(JSON.stringify(wrong))).toBe(`must match pattern "${pattern}"`);
  });

  it.each([
    String.raw`\Aabc\Z`,
    String.raw`a\-\R`,
    String.raw`a\-\2`,
    String.raw`^\p{L}\-\d$`,
    '^a{,3}$',
    '(?i)abc',
    '[',
  ])('refuses the pattern %s rather than mistake it', (pattern) => {
    expect(problem({ pattern })).toBe('must be a JSON Schema with valid references and patterns');
  });

  it('knows draft 2020-12, which is meant where none is named, and draft-07', () => {
    const tuple = { prefixItems: [{ type: 'string' }] };
    expect(check(tuple)('[1]')).toBe('must be string at /0');
    expect(check({ $schema: 'https://json-schema.org/draft/2020-12/schema', ...tuple })('[1]')).toBe(
      'must be string at /0',
    );
    expect(check({ $schema: DRAFT_07, ...tuple })('[1]')).toBeUndefined();
    expect(check({ $schema: DRAFT_07, items: [{ type: 'string' }] })('[1]')).toBe('must be string at /0');
  });

  it('follows references within the schema, also where they are circular', () => {
    const tree = { $ref: '#/$defs/node', $defs: { node: { type: 'array', items: { $ref: '#/$defs/node' } } } };
    expect(check(tree)('[[],[[]]]')).toBeUndefined();
    expect(check(tree)('[[1]]')).toBe('must be array at /0/0');
  });

  const ID = 'https://example.com/schemas/list.json';
  const NESTED = 'https://example.com/schemas/inner.json';
  const list = (ref: string) => ({ type: 'array', items: { $ref: ref } });

  describe.each([
    ['without $schema', {}],
    ['of draft 2020-12', { $schema: 'https://json-schema.org/draft/2020-12/schema' }],
    ['of draft-07', { $schema: DRAFT_07 }],
  ])('of a schema %s that refers to its own root', (_, draft) => {
    it.each([
      ['#', list('#')],
      ['#/', list('#/')],
      ['the empty reference', list('')],
      ['#, with an $id', { $id: ID, ...list('#') }],
      ['#/, with an $id', { $id: ID, ...list('#/') }],
      ['# in $defs', { ...list('#/$defs/inner'), $defs: { inner: { $ref: '#' } } }],
      ['# in definitions', { ...list('#/definitions/inner'), definitions: { inner: { $ref: '#' } } }],
      ['its own $id', { $id: ID, ...list(ID) }],
      ['its own $id with #', { $id: ID, ...list(`${ID}#`) }],
      ['its own $id in $defs', { $id: ID, ...list('#/$defs/inner'), $defs: { inner: { $ref: ID } } }],
      ['the end of its own $id', { $id: ID, ...list('list.json') }],
      ['an $id that is no address', { $id: 'list', ...list('list') }],
      ['an $id that is a URN', { $id: 'urn:example:list', ...list('urn:example:list') }],
      ['from within another $id', { $id: ID, ...list('inner.json'), $defs: { inner: { $id: NESTED, ...list(ID) } } }],
    ])('takes %s', (_name, schema) => {
      const own = check({ ...draft, ...schema });
      expect(own('[[],[[]]]')).toBeUndefined();
      expect(own('[[[1]]]')).toBe('must be array at /0/0/0');
    });

    it('follows # within another $id to the root of that one', () => {
      const schema = { ...draft, items: { $ref: '#/$defs/inner' }, $defs: { inner: { $id: NESTED, ...list('#') } } };
      expect(check(schema)('[[],[[]]]')).toBeUndefined();
      expect(check(schema)('[[[1]]]')).toBe('must be array at /0/0/0');
    });

    it.each([
      ['another address', list('https://example.com/schemas/else.json')],
      ['another address beside its $id', { $id: ID, ...list('else.json') }],
      ['the address of a draft', list('http://json-schema.org/draft-07/schema#')],
      ['an anchor that there is not', { $id: ID, ...list('#else') }],
      ['a place that there is not', { $id: ID, ...list(`${ID}#/$defs/else`) }],
    ])('refuses %s', (_name, schema) => {
      expect(problem({ ...draft, ...schema })).toBe('must have no references but into itself');
    });

    it.each([
      ['#', { $ref: '#' }],
      ['# by a definition', { $ref: '#/$defs/a', $defs: { a: { $ref: '#' } } }],
    ])('ends where it is nothing but %s', (_name, schema) => {
      expect(check({ ...draft, ...schema })('[]')).toBe('it takes too long to check');
    });
  });

  it.each([
    ['$anchor', { $anchor: 'root', ...list('#root') }],
    ['$anchor beside an $id', { $id: ID, $anchor: 'root', ...list(`${ID}#root`) }],
    ['$dynamicAnchor', { $dynamicAnchor: 'root', ...list('#root') }],
    ['both', { $anchor: 'root', $dynamicAnchor: 'root', ...list('#root') }],
  ])('follows a reference to the %s of the root', (_, schema) => {
    expect(check(schema)('[[],[[]]]')).toBeUndefined();
    expect(check(schema)('[[[1]]]')).toBe('must be array at /0/0/0');
  });

  it('knows no schema but its own, whatever ids came before', () => {
    expect(check({ $id: ID, type: 'array' })('{}')).toBe('must be array');
    expect(check({ $id: ID, type: 'string' })('{}')).toBe('must be string');
    expect(problem(list(ID))).toBe('must have no references but into itself');
  });

  it('takes `format` and words that no draft knows as remarks', () => {
    expect(check({ type: 'string', format: 'date', 'x-note': 1, discriminator: {} })('"x"')).toBeUndefined();
  });

  it('is the same function for the same text', () => {
    const text = JSON.stringify({ type: 'array', title: 'kept' });
    expect(answerCheck(text)).toBe(answerCheck(text));
  });

  it('keeps no more than a mebibyte of schemas, the latest of them', () => {
    const filler = 'a'.repeat(60_000);
    const text = (index: number): string => JSON.stringify({ title: filler, minimum: index });
    const first = answerCheck(text(0));
    for (let index = 1; index < 16; index++) answerCheck(text(index));
    expect(answerCheck(text(0))).toBe(first);
    for (let index = 16; index < 36; index++) answerCheck(text(index));
    expect(answerCheck(text(0))).not.toBe(first);
  });
});

describe('a schema of a stranger', () => {
  it.each([
    ['[]', 'must be a JSON object'],
    ['{', 'must be a JSON object'],
    [`{"title":"${'a'.repeat(MAX_SCHEMA_BYTES)}"}`, 'must be at most 64 KiB long'],
    [`${'{"not":'.repeat(65)}true${'}'.repeat(65)}`, 'must be nested at most 64 deep'],
    [{ type: 'strng' }, 'must be a valid JSON Schema at /type'],
    [{ $schema: 'http://json-schema.org/draft-04/schema#' }, 'must be of JSON Schema draft 2020-12 or draft-07'],
    [{ $schema: 7 }, 'must be of JSON Schema draft 2020-12 or draft-07'],
    [{ $ref: 'https://example.com/schema.json' }, 'must have no references but into itself'],
    [{ $ref: '#/$defs/none' }, 'must have no references but into itself'],
    [{ pattern: '(' }, 'must be a JSON Schema with valid references and patterns'],
    [{ $async: true, type: 'object' }, 'must not have "$async"'],
  ])('is refused where it cannot be used: %#', (schema, expected) => {
    expect(problem(schema)).toContain(expected);
  });

  it('has no time for a pattern that takes for ever', () => {
    const evil = check({ type: 'string', pattern: '^(a+)+$' });
    expect(evil(JSON.stringify(`${'a'.repeat(60)}b`))).toBe('it takes too long to check');
    expect(evil('"aaa"')).toBeUndefined();
  });

  it('has no time for alternatives within alternatives', () => {
    const branch = { properties: { x: { $ref: '#/$defs/a' } }, required: ['x'] };
    const evil = check({ $ref: '#/$defs/a', $defs: { a: { anyOf: [branch, branch, { const: 1 }] } } });
    expect(evil(`${'{"x":'.repeat(60)}2${'}'.repeat(60)}`)).toBe('it takes too long to check');
  });

  it('survives an answer that is nested without end', () => {
    const tree = check({ $ref: '#/$defs/a', $defs: { a: { items: { $ref: '#/$defs/a' } } } });
    expect(tree(`${'['.repeat(512)}${']'.repeat(512)}`)).toBeUndefined();
    expect(tree(`${'['.repeat(200_000)}${']'.repeat(200_000)}`)).toBe('it is nested too deeply');
  });

  it('changes nothing outside of itself', () => {
    const schema =
      '{"type":"object","properties":{"__proto__":{"default":{"polluted":1}}},"$id":"http://json-schema.org/draft-07/schema#"}';
    expect(check(schema)('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}')).toBeUndefined();
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    expect(check({ $schema: DRAFT_07, type: 'array', $comment: 'after it' })('{}')).toBe('must be array');
  });

  it('does not run code that its words spell', () => {
    const words = `'"\`);globalThis.ran=1;//\${globalThis.ran=1}`;
    const schema = { type: 'object', properties: { [words]: { const: words, pattern: 'x' } }, required: [words] };
    check(schema)(JSON.stringify({ [words]: words }));
    check({ enum: [words], $comment: words, title: words })(JSON.stringify(words));
    expect(Object.hasOwn(globalThis, 'ran')).toBe(false);
  });
});
