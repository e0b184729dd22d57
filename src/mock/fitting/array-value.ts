import { listOf } from '../shared/fields.ts';
import type { Json } from '../shared/fields.ts';
import { isLeanAt } from './maker.ts';
import type { Maker, Place } from './maker.ts';
import { boundOf } from './number-value.ts';

/** How many items a list has where its schema does not say. */
const USUAL_ITEMS = 2;

/** Longest list that is made. */
const MAX_ITEMS = 1000;

/** How often an item is made anew where all must differ. */
const TRIES = 24;

/** Makes a list. Undefined where nothing fits, or where more items are asked for than are made. */
export function arrayValue(schema: Json, place: Place, maker: Maker): unknown {
  const prefix = listOf(schema['prefixItems']);
  const rest = schema['items'] ?? schema['unevaluatedItems'] ?? true;
  const least = Math.max(boundOf(schema['minItems']) ?? 0, containedOf(schema));
  const most = Math.min(boundOf(schema['maxItems']) ?? Infinity, rest === false ? prefix.length : Infinity);
  if (least > most || least > MAX_ITEMS) return undefined;
  const usual = isLeanAt(maker, place) ? 0 : prefix.length > 0 ? prefix.length : USUAL_ITEMS;
  const wanted = Math.min(Math.max(least, usual), most);
  const items: unknown[] = [];
  while (items.length < wanted) {
    const item = itemOf(schema, prefix[items.length] ?? rest, items, place, maker);
    if (item === undefined) break;
    items.push(item);
  }
  return items.length < least ? undefined : items;
}

function itemOf(schema: Json, own: unknown, before: readonly unknown[], place: Place, maker: Maker): unknown {
  const isContained = before.length < containedOf(schema);
  const wanted = isContained ? { allOf: [own, schema['contains']] } : own;
  const at = { name: place.name, depth: place.depth + 1 };
  if (schema['uniqueItems'] !== true) return maker.make(wanted, at);
  const taken = new Set(before.map((item) => JSON.stringify(item)));
  for (let tries = 0; tries < TRIES; tries += 1) {
    const item = maker.make(wanted, at);
    if (item === undefined || !taken.has(JSON.stringify(item))) return item;
  }
  return undefined;
}

/** How many items must be of those that the list has to contain; they come first. */
function containedOf(schema: Json): number {
  return schema['contains'] === undefined ? 0 : (boundOf(schema['minContains']) ?? 1);
}
