import fc from 'fast-check';

/** A JSON Schema that some value fits. */
export type FittableSchema = Readonly<Record<string, unknown>>;

const optional = <Value>(name: string, value: fc.Arbitrary<Value>): fc.Arbitrary<object> =>
  fc.option(value, { nil: undefined }).map((made) => (made === undefined ? {} : { [name]: made }));

const all = (...parts: readonly fc.Arbitrary<object>[]): fc.Arbitrary<FittableSchema> =>
  fc.tuple(...parts).map((made) => Object.assign({}, ...made) as FittableSchema);

/** A pair of bounds, the first no larger than the second. */
const bounds = (least: string, most: string, limit: number): fc.Arbitrary<object> =>
  fc
    .tuple(fc.nat(limit), fc.nat(limit))
    .chain(([one, other]) =>
      fc.constantFrom<object>(
        {},
        { [least]: Math.min(one, other) },
        { [most]: Math.max(one, other) },
        { [least]: Math.min(one, other), [most]: Math.max(one, other) },
      ),
    );

const texts = fc.oneof(
  all(fc.constant({ type: 'string' }), bounds('minLength', 'maxLength', 60)),
  all(
    fc.constant({ type: 'string' }),
    fc
      .constantFrom(
        '^[A-Z]{2}\\d{3}$',
        '^(red|green|blue)$',
        '^\\S+@\\S+\\.\\w{2,}$',
        '^[a-f0-9-]{8,}$',
        '^\\p{L}+( \\p{L}+)*$',
      )
      .map((pattern) => ({ pattern })),
  ),
  fc.constantFrom('date-time', 'email', 'uuid', 'uri').map((format) => ({ type: 'string', format })),
);

const numbers = fc
  .tuple(fc.integer({ min: -1000, max: 1000 }), fc.integer({ min: 20, max: 500 }))
  .chain(([least, span]) =>
    all(
      fc.constantFrom({ type: 'number' }, { type: 'integer' }),
      fc.constantFrom<object>(
        {},
        { minimum: least },
        { exclusiveMinimum: least },
        { minimum: least, maximum: least + span },
      ),
      fc.constantFrom<object>({}, { exclusiveMaximum: least + span }),
      fc.constantFrom<object>({}, { multipleOf: 1 }, { multipleOf: 5 }, { multipleOf: 0.01 }, { multipleOf: 0.5 }),
    ),
  );

const choices = fc.oneof(
  fc.array(fc.jsonValue({ maxDepth: 2 }), { minLength: 1, maxLength: 4 }).map((values) => ({ enum: values })),
  fc.jsonValue({ maxDepth: 2 }).map((value) => ({ const: value })),
);

/** Definitions that schemas refer to; both lead back to themselves. */
const DEFINITIONS = {
  node: {
    type: 'object',
    required: ['label', 'next'],
    properties: { label: { type: 'string' }, next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } },
  },
  tree: {
    type: 'object',
    required: ['branches'],
    additionalProperties: false,
    properties: { branches: { type: 'array', maxItems: 3, items: { $ref: '#/$defs/tree' } } },
  },
};

const { schema } = fc.letrec<{ schema: FittableSchema; nested: FittableSchema }>((tie) => {
  const properties = fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), tie('schema'), { maxKeys: 4 });
  const objects = properties.chain((made) =>
    all(
      fc.constant({ type: 'object', properties: made }),
      fc.subarray(Object.keys(made)).map((required) => ({ required })),
      optional('additionalProperties', fc.oneof(fc.constant(false), tie('schema'))),
    ),
  );
  const maps = all(
    tie('schema').map((of) => ({ type: 'object', additionalProperties: of })),
    bounds('minProperties', 'maxProperties', 4),
  );
  const lists = fc.oneof(
    all(
      tie('schema').map((items) => ({ type: 'array', items })),
      bounds('minItems', 'maxItems', 4),
    ),
    fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map((prefixItems) => {
      return { type: 'array', prefixItems, items: false, minItems: prefixItems.length };
    }),
    fc.constant({ type: 'array', uniqueItems: true, minItems: 3, items: { type: 'string' } }),
    fc.constant({ type: 'array', contains: { const: 7 }, minContains: 2, items: { type: 'integer' } }),
  );
  const unions = fc.oneof(
    fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
    fc.tuple(objects, numbers, texts).map((oneOf) => ({ oneOf })),
    objects
      .map((object) => ({ allOf: [object, { properties: { kind: { const: 'k' } }, type: 'object' }] }))
      .filter(
        ({ allOf: [object] }) => (object as { additionalProperties?: unknown }).additionalProperties === undefined,
      ),
    tie('schema').map((part) => ({
      type: 'object',
      required: ['kind'],
      oneOf: [
        { properties: { kind: { const: 'part' }, part }, required: ['part'] },
        { properties: { kind: { const: 'none' } } },
      ],
    })),
  );
  const references = fc.constantFrom('node', 'tree').map((name) => ({ $ref: `#/$defs/${name}` }));
  const nested = fc.oneof(objects, maps, lists, unions, references);
  return {
    nested,
    schema: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      texts,
      numbers,
      choices,
      fc.constant({ type: 'boolean' }),
      fc.constant({ type: ['string', 'null'] }),
      nested,
    ),
  };
});

/** Any schema that some value fits, with the definitions that it refers to. */
export const anySchema: fc.Arbitrary<FittableSchema> = all(schema, fc.constant({ $defs: DEFINITIONS }));
