import { isObject, listOf, objectOf } from '../shared/fields.ts';
import type { Json } from '../shared/fields.ts';
import { isLeanAt } from './maker.ts';
import type { Maker, Place } from './maker.ts';
import { schemasOfProperty } from './merged-keywords.ts';
import { boundOf } from './number-value.ts';
import { patternText } from './pattern-text.ts';

/** Names for properties that a schema wants but does not name. */
const NAMES = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth'] as const;

/** How many entries an object that is a map has, where nothing is said. */
const MAP_ENTRIES = 2;

/** Makes an object: the properties in the schema's order, then what else is required. Undefined where nothing fits. */
export function objectValue(schema: Json, place: Place, maker: Maker): unknown {
  const names = namesOf(schema, place, maker);
  const bound = listOf(Object.keys(objectOf(schema['dependentSchemas']))).filter((name) =>
    names.includes(String(name)),
  );
  if (bound.length > 0) {
    const { dependentSchemas, ...others } = schema;
    const parts = bound.map((name) => objectOf(dependentSchemas)[String(name)]);
    return maker.make({ allOf: [others, ...parts] }, place);
  }
  const required = requiredOf(schema);
  const entries: (readonly [string, unknown])[] = [];
  for (const name of names) {
    const value = maker.make(schemaOf(schema, name, maker), { name, depth: place.depth + 1 });
    if (value !== undefined) entries.push([name, value]);
    else if (required.has(name)) return undefined;
  }
  return entries.length < (boundOf(schema['minProperties']) ?? 0) ? undefined : Object.fromEntries(entries);
}

function namesOf(schema: Json, place: Place, maker: Maker): readonly string[] {
  const required = requiredOf(schema);
  const known = Object.keys(objectOf(schema['properties']));
  const most = boundOf(schema['maxProperties']) ?? Infinity;
  const least = Math.max(boundOf(schema['minProperties']) ?? 0, wantedEntries(schema, place, maker));
  const names = [
    ...known.filter((name) => required.has(name)),
    ...[...required].filter((name) => !known.includes(name)),
  ];
  const optional = known.filter((name) => !required.has(name));
  const taken = isLeanAt(maker, place) ? Math.max(0, least - names.length) : most - names.length;
  const kept = new Set([...names, ...optional.slice(0, Math.max(0, taken))]);
  for (const name of kept) for (const needed of requiredWith(schema, name)) kept.add(needed);
  for (const name of inventedNames(schema, maker)) {
    if (kept.size >= Math.min(least, most)) break;
    kept.add(name);
  }
  return [...known.filter((name) => kept.has(name)), ...[...kept].filter((name) => !known.includes(name))];
}

/** A map, which names no properties but says what they are, has some entries. */
function wantedEntries(schema: Json, place: Place, maker: Maker): number {
  const isMap =
    isObject(schema['additionalProperties']) || Object.keys(objectOf(schema['patternProperties'])).length > 0;
  const names = Object.keys(objectOf(schema['properties'])).length;
  return isMap && names === 0 && !isLeanAt(maker, place) ? MAP_ENTRIES : 0;
}

function* inventedNames(schema: Json, maker: Maker): Generator<string> {
  const { propertyNames, patternProperties } = schema;
  const patterns = Object.keys(objectOf(patternProperties));
  const isClosed = (schema['additionalProperties'] ?? schema['unevaluatedProperties']) === false;
  for (let tries = 0; maker.spend() && tries < 1000; tries += 1) {
    const pattern = patterns[tries % Math.max(1, patterns.length)];
    if (propertyNames !== undefined) {
      const name = maker.make({ allOf: [{ type: 'string' }, propertyNames] }, { name: 'key', depth: 1 });
      if (typeof name === 'string') yield name;
    } else if (pattern !== undefined && isClosed) {
      const name = patternText(pattern, { min: 1, max: 64 }, maker.chance);
      if (name !== undefined) yield name;
    } else if (isClosed) return;
    else yield NAMES[tries] ?? `property_${tries + 1}`;
  }
}

function requiredOf(schema: Json): ReadonlySet<string> {
  return new Set(listOf(schema['required']).filter((name) => typeof name === 'string'));
}

function requiredWith(schema: Json, name: string): readonly string[] {
  const needed = objectOf(schema['dependentRequired']);
  return Object.hasOwn(needed, name) ? listOf(needed[name]).filter((other) => typeof other === 'string') : [];
}

function schemaOf(schema: Json, name: string, maker: Maker): unknown {
  const [first, ...others] = schemasOfProperty(schema, name, maker.matches);
  if (first === undefined) return schema['unevaluatedProperties'] ?? true;
  return others.length === 0 ? first : { allOf: [first, ...others] };
}
