import { isObject, listOf, objectOf } from '../shared/fields.ts';
import type { Json } from '../shared/fields.ts';
import { below } from '../shared/seeded.ts';
import { isLeanAt } from './maker.ts';
import type { Maker, Place } from './maker.ts';
import { isNull, merged } from './merged-keywords.ts';
import type { FindReference } from './schema-references.ts';

/** Longest chain of schemas that stand for each other. */
const MAX_CHAIN = 64;

/** How many properties are merged in a step of work. */
const PROPERTIES_A_STEP = 5;

/** What reads schemas: one value's maker, and its schema's references. */
interface Reader {
  readonly maker: Maker;
  readonly find: FindReference;
  readonly place: Place;
}

/**
 * Returns, one after the other, the ways to read a schema as one of plain keywords: references are followed, `allOf` is merged, one
 * alternative of `anyOf` and `oneOf` is taken, one side of `if`. That the others of a `oneOf` do not match is not seen to, nor is `not`.
 */
export function readings(schema: unknown, place: Place, maker: Maker, find: FindReference): Iterable<Json> {
  return read(schema, { maker, find, place }, 0);
}

function* read(schema: unknown, reader: Reader, chain: number): Generator<Json> {
  if (schema === false || chain > MAX_CHAIN || !reader.maker.spend()) return;
  if (!isObject(schema)) return yield {};
  const {
    $ref,
    $dynamicRef,
    $recursiveRef,
    allOf,
    anyOf,
    oneOf,
    if: condition,
    then,
    else: otherwise,
    ...own
  } = schema;
  const groups: (readonly unknown[])[] = [
    ...[$ref, $dynamicRef, $recursiveRef].flatMap((reference) =>
      typeof reference === 'string' ? [[reader.find(reference) ?? {}]] : [],
    ),
    ...listOf(allOf).map((part) => [part]),
    ...[anyOf, oneOf].flatMap((choice) => (choice === undefined ? [] : [inOrder(listOf(choice), reader)])),
    ...(condition === undefined ? [] : [inOrder([{ allOf: [condition, then ?? true] }, otherwise ?? true], reader)]),
  ];
  yield* combined(plain(own), groups, reader, chain + 1);
}

function* combined(
  own: Json,
  [group, ...others]: readonly (readonly unknown[])[],
  reader: Reader,
  chain: number,
): Generator<Json> {
  if (group === undefined) return yield own;
  for (const alternative of group) {
    for (const reading of read(alternative, reader, chain)) {
      const names = Object.keys(objectOf(reading['properties'])).length;
      if (!reader.maker.spend(Math.ceil(names / PROPERTIES_A_STEP))) return;
      yield* combined(merged(own, reading, reader.maker.matches), others, reader, chain);
    }
  }
}

/** Alternatives from a random one on. On the surface `null` comes last; further down what is simplest comes first. */
function inOrder(alternatives: readonly unknown[], { maker, place }: Reader): readonly unknown[] {
  const start = below(maker.chance, alternatives.length);
  const turned = [...alternatives.slice(start), ...alternatives.slice(0, start)];
  const weight = isLeanAt(maker, place) && place.depth > 0 ? complexity : (schema: unknown) => Number(isNull(schema));
  return turned.toSorted((one, other) => weight(one) - weight(other));
}

function complexity(schema: unknown): number {
  if (!isObject(schema)) return 0;
  if (['$ref', '$dynamicRef', 'allOf', 'anyOf', 'oneOf'].some((key) => schema[key] !== undefined)) return 2;
  const isNested = listOf(schema['type']).some((type) => type === 'object' || type === 'array');
  return isNested || schema['properties'] !== undefined ? 1 : 0;
}

/** Writes `const` as `enum`, and the keywords of draft 07 as those of 2020-12. */
function plain(schema: Json): Json {
  const { const: constant, dependencies, items, additionalItems, ...others } = schema;
  const choices = constant === undefined ? undefined : [constant];
  const isTuple = Array.isArray(items);
  const parts = Object.entries(objectOf(dependencies));
  return {
    ...others,
    ...(choices !== undefined && { enum: choices }),
    ...(isTuple && { prefixItems: items }),
    ...(isTuple ? additionalItems !== undefined && { items: additionalItems } : items !== undefined && { items }),
    ...(parts.length > 0 && {
      dependentRequired: Object.fromEntries(parts.filter(([, part]) => Array.isArray(part))),
      dependentSchemas: Object.fromEntries(parts.filter(([, part]) => !Array.isArray(part))),
    }),
  };
}
