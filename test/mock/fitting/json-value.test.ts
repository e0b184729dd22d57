import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { fittingValue, smallObject } from '../../../src/mock/fitting/json-value.ts';
import { readFromRoot, tableBelow } from '../../support/doc-tables.ts';
import { anySchema } from '../../support/schema-arbitraries.ts';

const ajv = new Ajv2020({ strict: false, validateFormats: false });

/** Expects that many seeds make a value that an independent validator accepts. */
function expectFits(schema: object, seeds = 40, validator: Ajv | Ajv2020 = ajv): void {
  const validate = validator.compile(schema);
  for (let seed = 0; seed < seeds; seed += 1) {
    const value = fittingValue(schema, seed);
    const problem = validate(value) ? '' : validator.errorsText(validate.errors);
    expect(problem, `${JSON.stringify(value)} for ${JSON.stringify(schema)}`).toBe('');
  }
}

const object = (properties: object, more: object = {}): object => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...more,
});

/** What callers ask for, by what it shows. */
const SCHEMAS: Readonly<Record<string, object>> = {
  'what is required and nowhere described': { type: 'object', required: ['city'] },
  'what says no type': { required: ['a'], properties: { a: { minLength: 3 }, b: { items: { type: 'null' } } } },
  'lengths and steps': object({
    code: { type: 'string', minLength: 5, maxLength: 7 },
    share: { type: 'number', exclusiveMinimum: 0, maximum: 1, multipleOf: 0.05 },
    even: { type: 'integer', multipleOf: 2, minimum: 1001, maximum: 1003 },
    tiny: { type: 'number', minimum: 0.001, maximum: 0.002 },
    large: { type: 'integer', minimum: 9_000_000_000 },
    below: { type: 'number', exclusiveMaximum: -5 },
    halves: { type: 'integer', multipleOf: 0.5 },
  }),
  'a list of lists that refers to its root': {
    type: 'object',
    required: ['children'],
    properties: { children: { type: 'array', items: { $ref: '#' } } },
  },
  'a list that ends': {
    $ref: '#/$defs/node',
    $defs: {
      node: object({ value: { type: 'integer' }, next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } }),
    },
  },
  'a tree that ends in leaves only': {
    $ref: '#/$defs/tree',
    $defs: {
      tree: { oneOf: [{ $ref: '#/$defs/branch' }, { $ref: '#/$defs/leaf' }] },
      branch: object({ left: { $ref: '#/$defs/tree' }, right: { $ref: '#/$defs/tree' } }),
      leaf: object({ leaf: { type: 'boolean' } }),
    },
  },
  'an expression, each kind within each other': {
    $defs: {
      expression: {
        anyOf: [
          object({ and: { type: 'array', minItems: 2, items: { $ref: '#/$defs/expression' } } }),
          object({ not: { $ref: '#/$defs/expression' } }),
          object({ field: { type: 'string' } }),
        ],
      },
    },
    ...object({ where: { $ref: '#/$defs/expression' } }),
  },
  'anchors and ids': {
    $id: 'https://example.org/order',
    ...object({
      item: { $ref: '#item' },
      other: { $ref: 'item.json' },
      again: { $ref: 'https://example.org/order#/$defs/a' },
    }),
    $defs: {
      a: { $anchor: 'item', type: 'integer', minimum: 5 },
      b: { $id: 'item.json', const: 'b' },
    },
  },
  'pointers with escapes': { ...object({ x: { $ref: '#/$defs/a~1b%20c' } }), $defs: { 'a/b c': { enum: ['yes'] } } },
  'parts that all hold': {
    allOf: [
      { type: 'object', required: ['a'], properties: { a: { type: 'string', maxLength: 30 } } },
      { required: ['b'], properties: { b: { enum: [1, 2, 3] }, a: { minLength: 12 } } },
      { properties: { b: { enum: [3, 4] } } },
    ],
  },
  'a closed union told apart by a constant': {
    type: 'object',
    required: ['kind'],
    oneOf: [
      { properties: { kind: { const: 'circle' }, radius: { type: 'number' } }, required: ['radius'] },
      { properties: { kind: { const: 'square' }, side: { type: 'number' } }, required: ['side'] },
    ],
    unevaluatedProperties: false,
  },
  'either of two properties': {
    type: 'object',
    properties: { email: { type: 'string', format: 'email' }, phone: { type: 'string' } },
    oneOf: [{ required: ['email'] }, { required: ['phone'] }],
  },
  'one of overlapping types': {
    type: 'object',
    required: ['n'],
    properties: { n: { oneOf: [{ type: 'integer' }, { type: 'number', minimum: 50 }] } },
  },
  'a condition': {
    ...object({ member: { type: 'boolean' } }, { additionalProperties: true }),
    if: { properties: { member: { const: true } } },
    // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
    then: { required: ['number'], properties: { number: { type: 'integer' } } },
    else: { required: ['reason'] },
  },
  'what depends on another': {
    type: 'object',
    required: ['card'],
    properties: { card: { type: 'string' } },
    dependentRequired: { card: ['address'] },
    dependentSchemas: { card: { properties: { address: { minLength: 25 } } } },
  },
  tuples: { type: 'array', prefixItems: [{ type: 'string' }, { type: 'integer' }], items: false, minItems: 2 },
  'lists without repetition': object({
    days: { type: 'array', uniqueItems: true, minItems: 3, items: { enum: ['a', 'b', 'c'] } },
  }),
  'short lists': { type: 'array', maxItems: 1, items: { type: 'boolean' } },
  'lists that contain something': { type: 'array', contains: { const: 7 }, minContains: 2, items: { type: 'integer' } },
  maps: { type: 'object', additionalProperties: { type: 'integer' }, minProperties: 3 },
  'maps whose keys have a form': {
    type: 'object',
    minProperties: 2,
    propertyNames: { pattern: '^[a-z]{2}-[A-Z]{2}$' },
  },
  'closed maps whose keys have a form': {
    type: 'object',
    minProperties: 3,
    patternProperties: { '^x_\\d+$': { type: 'integer' } },
    additionalProperties: false,
  },
  'few of many properties': {
    type: 'object',
    maxProperties: 1,
    properties: { a: { type: 'null' }, b: { type: 'null' } },
  },
  'what must not be': object({
    n: { type: 'integer', not: { multipleOf: 2 } },
    s: { type: 'string', not: { const: 'encore' } },
  }),
  'optional values, as pydantic writes them': object({
    name: { anyOf: [{ type: 'string' }, { type: 'null' }], default: null, title: 'Name' },
    size: {
      anyOf: [
        { type: 'number', exclusiveMinimum: 0 },
        { type: 'string', pattern: '^\\d+(\\.\\d{1,2})?$' },
      ],
    },
  }),
  'enums of several types': object({ a: { enum: [null, 'x', 3] }, b: { type: ['integer', 'null'], enum: [null, 4] } }),
  'names that objects have anyway': object({ constructor: { type: 'string' }, toString: { type: 'integer' } }),
  'nested six deep': Array.from('abcdef').reduce<object>((inner, name) => object({ [name]: inner }), {
    type: 'string',
  }),
};

/** Patterns as people write them. */
const PATTERNS = [
  '^[A-Z]{3}-\\d{4}$',
  '^(?:\\+|00)[1-9]\\d{1,14}$',
  '^[a-z0-9]+(?:-[a-z0-9]+)*$',
  '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$',
  '^#(?:[0-9a-fA-F]{3}){1,2}$',
  '^[\\w.+-]+@[\\w-]+\\.[\\w.]+$',
  '^(?=.*\\d)[a-z\\d]{8,}$',
  '^[^\\s@]+$',
  '^\\p{Lu}\\p{Ll}+$',
  '^(?<year>\\d{4})$',
  '^v?\\d+\\.\\d+\\.\\d+(?:-[0-9A-Za-z.-]+)?$',
  'needle',
  '^$',
  '[\\u4e00-\\u4e10]{2}',
  '^\\$\\d+\\.\\d\\d$',
  '^[\\]\\[-]{2}$',
  '^a{2,}b{0,3}c?$',
  '^.{3,5}$',
  '\\bword\\b',
];

const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  'date-time': (text) => new Date(text).toISOString().startsWith(text.slice(0, 19)),
  date: (text) => new Date(`${text}T00:00:00Z`).toISOString().startsWith(text),
  time: (text) => /^([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/.test(text),
  duration: (text) => /^P(?:\d+[DW]|T\d+[HM])$/.test(text),
  email: (text) => /^[a-z]+@example\.(?:org|net)$/.test(text),
  hostname: (text) => new URL(`http://${text}`).hostname === text,
  ipv4: (text) => /^192\.0\.2\.\d{1,3}$/.test(text),
  ipv6: (text) => new URL(`http://[${text}]`).hostname === `[${text}]`,
  uri: (text) => URL.canParse(text),
  uuid: (text) => /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-8[\da-f]{3}-[\da-f]{12}$/.test(text),
  'json-pointer': (text) => text.startsWith('/'),
  byte: (text) => Buffer.from(text, 'base64').toString('base64') === text,
};

describe('the JSON that the mock makes up', () => {
  it.each(Object.entries(SCHEMAS))('fits %s', (_, schema) => expectFits(schema));

  it('fits draft 07, with its own words', () => {
    const schema = {
      $schema: 'http://json-schema.org/draft-07/schema#',
      type: 'object',
      required: ['pair', 'size'],
      properties: {
        pair: { items: [{ type: 'string' }, { $ref: '#/definitions/n' }], additionalItems: false, minItems: 2 },
      },
      dependencies: { pair: ['note'], size: { required: ['unit'] } },
      definitions: { n: { type: 'integer' } },
    };
    expectFits(schema, 40, new Ajv({ strict: false }));
  });

  it('fits any schema that can be fitted', () => {
    fc.assert(
      fc.property(anySchema, fc.nat(), (schema, seed) => {
        const validate = ajv.compile(schema);
        expect(validate(fittingValue(schema, seed)) ? '' : ajv.errorsText(validate.errors)).toBe('');
      }),
      { numRuns: 400 },
    );
  });

  it.each(PATTERNS)('has texts of the pattern %s', (pattern) => {
    expectFits({ type: 'object', required: ['text'], properties: { text: { type: 'string', pattern } } });
  });

  it('has texts of a pattern within lengths', () => {
    expectFits(object({ a: { type: 'string', pattern: '^[a-z]+$', minLength: 30, maxLength: 31 } }));
    expectFits(object({ a: { type: 'string', pattern: '^x(ab)*$', minLength: 9, maxLength: 9 } }));
    expectFits(object({ a: { type: 'string', pattern: '^[A-Z]', minLength: 40 } }));
  });

  it.each(Object.entries(FORMATS))('has texts of the format %s', (format, isOfFormat) => {
    for (let seed = 0; seed < 40; seed += 1) {
      const text = fittingValue({ type: 'string', format }, seed);
      expect(isOfFormat(String(text)), String(text)).toBe(true);
    }
  });

  it('is the same for the same seed, and differs between seeds', () => {
    const schema = object({ city: { type: 'string' }, population: { type: 'integer' } });
    const made = Array.from({ length: 20 }, (_, seed) => JSON.stringify(fittingValue(schema, seed)));
    expect(made).toEqual(Array.from({ length: 20 }, (_, seed) => JSON.stringify(fittingValue(schema, seed))));
    expect(new Set(made).size).toBeGreaterThan(10);
  });

  it('has words that suit the names of properties, in the order of the schema', () => {
    const schema = object({
      country: { type: 'string' },
      homeCity: { type: 'string' },
      email: { type: 'string' },
      age: { type: 'integer' },
    });
    const value = fittingValue(schema, 3) as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(['country', 'homeCity', 'email', 'age']);
    expect(value['homeCity']).toMatch(/^(?:Rome|Oslo|Lisbon|Kyoto|Nairobi|Quito|Vienna)$/);
    expect(value['email']).toMatch(/@example\./);
    expect(value['age']).toBeGreaterThan(17);
  });

  it('has optional properties too, and values rather than null', () => {
    const schema = {
      type: 'object',
      properties: { note: { type: ['null', 'string'] }, more: { type: 'array', items: {} } },
    };
    expect(fittingValue(schema, 1)).toMatchObject({
      note: expect.any(String),
      more: [expect.anything(), expect.anything()],
    });
  });

  it('is a small object where nothing more is asked for', () => {
    expect(smallObject(5)).toEqual({ answer: expect.stringMatching(/ /), confidence: expect.any(Number) });
  });
});

describe('the page on the mock', () => {
  const rows = tableBelow(readFromRoot('docs/mock.md'), '## JSON and tools');
  const named = (text: string): readonly string[] => [...text.matchAll(/`([$\w-]+)`/g)].map(([, name = '']) => name);

  it('names keywords that are tried here', () => {
    const tried = JSON.stringify([SCHEMAS, { type: 'string', pattern: '', maxLength: 1 }]);
    const keywords = rows.flatMap(([names = '']) => named(names));
    expect(keywords.length).toBeGreaterThan(30);
    expect(keywords.filter((keyword) => !tried.includes(`"${keyword}":`))).toEqual([]);
  });

  it('names formats that are tried here', () => {
    const formats = named(rows.find(([names]) => names === '`format`')?.[1] ?? '');
    expect(formats).toContain('uuid');
    expect(formats.filter((format) => FORMATS[format] === undefined)).toEqual([]);
  });
});

describe('what cannot be made', () => {
  it.each<readonly [string, object]>([
    ['no value at all', { type: 'object', required: ['a'], properties: { a: false } }],
    ['contradictions', { allOf: [{ type: 'string' }, { type: 'object' }] }],
    ['an object that never ends', { $ref: '#/$defs/a', $defs: { a: object({ a: { $ref: '#/$defs/a' } }) } }],
    [
      'schemas that stand for each other',
      { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } },
    ],
    ['very long lists', { type: 'array', minItems: 1_000_000 }],
    ['very long texts', { type: 'object', required: ['a'], properties: { a: { minLength: 1_000_000 } } }],
    [
      'what must be looked for',
      { type: 'object', required: ['a'], properties: { a: { const: 1, not: { const: 1 } } } },
    ],
    ['a reference that leads nowhere', { $ref: '#/$defs/none' }],
    [
      'patterns that refer to themselves',
      { type: 'object', required: ['a'], properties: { a: { pattern: '^(a|b)\\1$' } } },
    ],
    [
      'alternatives without end',
      {
        $ref: '#/$defs/a',
        $defs: {
          a: {
            allOf: [
              { anyOf: [{ $ref: '#/$defs/a' }, { $ref: '#/$defs/a' }] },
              { anyOf: [{ $ref: '#/$defs/a' }, { $ref: '#/$defs/a' }] },
            ],
          },
        },
      },
    ],
    [
      'patterns that take for ever',
      {
        type: 'object',
        minProperties: 2,
        patternProperties: { '^(a+)+$': {} },
        properties: { [`${'a'.repeat(40)}!`]: {} },
      },
    ],
  ])('is answered all the same, soon: %s', (_, schema) => {
    const beganAtMs = performance.now();
    expect(JSON.stringify(fittingValue(schema, 1))).toMatch(/^[{[]/);
    expect(performance.now() - beganAtMs).toBeLessThan(30_000);
  });
});
