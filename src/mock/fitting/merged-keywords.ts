import { isObject, listOf, objectOf } from '../shared/fields.ts';
import type { Json } from '../shared/fields.ts';
import type { Maker } from './maker.ts';

type Merge = (one: unknown, other: unknown) => unknown;

const both: Merge = (one, other) => ({ allOf: [one, other] });
const larger: Merge = (one, other) => Math.max(Number(one), Number(other));
const smaller: Merge = (one, other) => Math.min(Number(one), Number(other));
const either: Merge = (one, other) => one === true || other === true;
const union: Merge = (one, other) => [...new Set([...listOf(one), ...listOf(other)])];

/** What becomes of a keyword that two schemas have which both must hold. Of any other the first is kept. */
const MERGES: Readonly<Record<string, Merge>> = {
  type: commonTypes,
  enum: (one, other) => {
    const texts = new Set(listOf(other).map((value) => JSON.stringify(value)));
    return listOf(one).filter((value) => texts.has(JSON.stringify(value)));
  },
  required: union,
  minimum: larger,
  exclusiveMinimum: larger,
  maximum: smaller,
  exclusiveMaximum: smaller,
  multipleOf: (one, other) => commonMultiple(Number(one), Number(other)),
  minLength: larger,
  maxLength: smaller,
  minItems: larger,
  maxItems: smaller,
  minContains: larger,
  maxContains: smaller,
  minProperties: larger,
  maxProperties: smaller,
  uniqueItems: either,
  items: both,
  prefixItems: (one, other) => {
    const [first, second] = [listOf(one), listOf(other)];
    return Array.from({ length: Math.max(first.length, second.length) }, (_, at) =>
      both(first[at] ?? true, second[at] ?? true),
    );
  },
  propertyNames: both,
  additionalProperties: both,
  unevaluatedProperties: both,
  patternProperties: (one, other) => inEach(objectOf(one), objectOf(other), both),
  dependentRequired: (one, other) => inEach(objectOf(one), objectOf(other), union),
  dependentSchemas: (one, other) => inEach(objectOf(one), objectOf(other), both),
};

/** Merges two schemas that both must hold; neither has references, combinations or conditions. */
export function merged(one: Json, other: Json, matches: Maker['matches']): Json {
  const common = Object.keys(other).filter((key) => Object.hasOwn(one, key) && MERGES[key] !== undefined);
  const names = new Set([...Object.keys(objectOf(one['properties'])), ...Object.keys(objectOf(other['properties']))]);
  const properties = [...names].map((name) => {
    const schemas = [one, other].flatMap((schema) => schemasOfProperty(schema, name, matches));
    return [name, schemas.length === 1 ? schemas[0] : { allOf: schemas }] as const;
  });
  return {
    ...other,
    ...one,
    ...Object.fromEntries(common.map((key) => [key, MERGES[key]?.(one[key], other[key])])),
    ...(names.size > 0 && { properties: Object.fromEntries(properties) }),
  };
}

/** Returns all that a schema says of the property of a name, but for `unevaluatedProperties`, which sees what others say. */
export function schemasOfProperty(schema: Json, name: string, matches: Maker['matches']): readonly unknown[] {
  const properties = objectOf(schema['properties']);
  const patterns = Object.entries(objectOf(schema['patternProperties']));
  const named = [
    ...(Object.hasOwn(properties, name) ? [properties[name]] : []),
    ...patterns.filter(([pattern]) => matches(pattern, name)).map(([, of]) => of),
  ];
  if (named.length > 0) return named;
  const other = schema['additionalProperties'];
  return other === undefined ? [] : [other];
}

function commonTypes(one: unknown, other: unknown): readonly unknown[] {
  const [first, second] = [listOf(one), listOf(other)];
  const has = (types: readonly unknown[], type: unknown): boolean =>
    types.includes(type) || (type === 'integer' && types.includes('number'));
  return [...new Set([...first, ...second])].filter((type) => has(first, type) && has(second, type));
}

/** The least common multiple of integers; of others the larger, which is one where it is a multiple itself. */
function commonMultiple(one: number, other: number): number {
  if (!Number.isInteger(one) || !Number.isInteger(other)) return Math.max(one, other);
  let [large, small] = [one, other];
  while (small > 0) [large, small] = [small, large % small];
  return (one / large) * other;
}

function inEach(one: Json, other: Json, merge: Merge): Json {
  const shared = Object.keys(other).filter((key) => Object.hasOwn(one, key));
  return { ...other, ...one, ...Object.fromEntries(shared.map((key) => [key, merge(one[key], other[key])])) };
}

/** Whether a schema is one of JSON `null` alone. */
export function isNull(schema: unknown): boolean {
  return isObject(schema) && (schema['type'] === 'null' || schema['const'] === null);
}
