import { answerCheck } from '../../structured-output/json-schema.ts';
import { listOf, objectOf } from '../shared/fields.ts';
import type { Json } from '../shared/fields.ts';
import { below, chanceFrom, hashOf } from '../shared/seeded.ts';
import type { Chance } from '../shared/seeded.ts';
import { arrayValue } from './array-value.ts';
import type { Maker, Place } from './maker.ts';
import { numberValue } from './number-value.ts';
import { objectValue } from './object-value.ts';
import { readings } from './readings.ts';
import { referencesOf } from './schema-references.ts';
import type { FindReference } from './schema-references.ts';
import { stringValue } from './string-value.ts';

/** How a value is tried: how many levels it has at most, and whether all that is optional is left out. */
interface Effort {
  readonly deepest: number;
  readonly isLean: boolean;
}

/** What is tried until something fits, in this order: most schemas have small values. */
const EFFORTS: readonly Effort[] = [6, 6, 6, 6, 12, 24, 48, 6, 6].flatMap((deepest) => [
  { deepest, isLean: false },
  { deepest, isLean: true },
]);

/** Steps of work for each try, and for all. */
const STEPS = 10_000;
const ALL_STEPS = 4 * STEPS;

/** How many names are held against patterns. */
const MAX_MATCHES = 1000;

/** What a pattern's check says that was stopped. */
const TOO_SLOW = 'it takes too long to check';

/**
 * Makes up a value that fits a JSON Schema. The same schema and seed give the same value. Where none is found (there may be none, or
 * the schema asks for what is not kept, see docs/mock.md) it is one that fits in part.
 *
 * @param seed any integer
 */
export function fittingValue(schema: unknown, seed: number): unknown {
  const check = answerCheck(JSON.stringify(schema));
  const find = referencesOf(schema);
  const matches = nameMatcher();
  const budget = { left: ALL_STEPS };
  let closest: unknown;
  for (const [index, effort] of EFFORTS.entries()) {
    const maker = makerOf(chanceFrom(hashOf(String(seed), String(index))), effort, { matches, find, budget });
    const value = maker.make(schema, { name: '', depth: 0 });
    if (value === undefined) continue;
    const problem = typeof check === 'function' ? check(JSON.stringify(value)) : undefined;
    if (problem === undefined || problem === TOO_SLOW) return value;
    closest ??= value;
  }
  return closest ?? {};
}

/** What the tries for one value have in common. */
interface Common {
  readonly matches: Maker['matches'];
  readonly find: FindReference;
  /** What is left of the steps of all tries. */
  readonly budget: { left: number };
}

function makerOf(chance: Chance, effort: Effort, { matches, find, budget }: Common): Maker {
  const until = budget.left - STEPS;
  const maker: Maker = {
    chance,
    isLean: effort.isLean,
    matches,
    spend: (steps = 1) => {
      budget.left -= steps;
      return budget.left >= Math.max(0, until);
    },
    make: (schema, place) => {
      if (place.depth > effort.deepest) return undefined;
      for (const reading of readings(schema, place, maker, find)) {
        const value = valueOf(reading, place, maker);
        if (value !== undefined) return value;
      }
      return undefined;
    },
  };
  return maker;
}

function valueOf(schema: Json, place: Place, maker: Maker): unknown {
  const types = typesOf(schema, place);
  if (schema['enum'] !== undefined) {
    const choices = listOf(schema['enum']).filter((value) => schema['type'] === undefined || isOfType(value, types));
    const [drawn] = choices.slice(below(maker.chance, choices.length));
    return drawn === null ? (choices.find((value) => value !== null) ?? null) : drawn;
  }
  for (const type of types) {
    const value = ofType(type, schema, place, maker);
    if (value !== undefined) return value;
  }
  return undefined;
}

function ofType(type: unknown, schema: Json, place: Place, maker: Maker): unknown {
  switch (type) {
    case 'object':
      return objectValue(schema, place, maker);
    case 'array':
      return arrayValue(schema, place, maker);
    case 'string':
      return stringValue(schema, place.name, maker.chance);
    case 'integer':
    case 'number':
      return numberValue(schema, place.name, type === 'integer', maker.chance);
    case 'boolean':
      return maker.chance() < 0.5;
    case 'null':
      return null;
    default:
      return undefined;
  }
}

/** Keywords of one type alone, which say it where `type` does not. */
const TELLING: readonly (readonly [type: string, keywords: readonly string[]])[] = [
  ['object', ['properties', 'required', 'additionalProperties', 'patternProperties', 'minProperties', 'propertyNames']],
  ['array', ['items', 'prefixItems', 'minItems', 'maxItems', 'contains', 'uniqueItems']],
  ['string', ['pattern', 'format', 'minLength', 'maxLength']],
  ['number', ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf']],
];

/** The types to try: `null` last. Without any, at the root an object, elsewhere a text. */
function typesOf(schema: Json, place: Place): readonly unknown[] {
  if (schema['type'] !== undefined) {
    return listOf(schema['type']).toSorted((one, other) => Number(one === 'null') - Number(other === 'null'));
  }
  const told = TELLING.find(([, keywords]) => keywords.some((keyword) => schema[keyword] !== undefined))?.[0];
  return [told ?? (place.depth === 0 ? 'object' : 'string')];
}

function isOfType(value: unknown, types: readonly unknown[]): boolean {
  if (value === null) return types.includes('null');
  if (Array.isArray(value)) return types.includes('array');
  if (typeof value === 'number')
    return types.includes('number') || (types.includes('integer') && Number.isInteger(value));
  return types.includes(typeof value);
}

/** Matches patterns by the same bounded check that answers go through; after one that takes too long, or many, none. */
function nameMatcher(): Maker['matches'] {
  let isSlow = false;
  let left = MAX_MATCHES;
  return (pattern, name) => {
    left -= 1;
    if (isSlow || left < 0) return false;
    const check = answerCheck(JSON.stringify({ type: 'string', pattern }));
    const problem = typeof check === 'function' ? check(JSON.stringify(name)) : 'no pattern';
    isSlow = problem === TOO_SLOW;
    return problem === undefined;
  };
}

/** Makes an object for a request that asks for one without saying what is in it. */
export function smallObject(seed: number): Json {
  return objectOf(fittingValue(SMALL, seed));
}

const SMALL = {
  type: 'object',
  required: ['answer', 'confidence'],
  properties: { answer: { type: 'string' }, confidence: { type: 'number', minimum: 0, maximum: 1 } },
};
