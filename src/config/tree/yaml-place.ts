import { isAlias, isMap, isPair, isScalar, isSeq, visit, type Document } from 'yaml';

import { formatPath } from '../port/problem.ts';

/** What fields of a config look like; anything else may be a secret that stands in the wrong place. */
const FIELD = /^[a-z][a-z_]{0,30}$/;

/** A fault that shows only where a document becomes values. */
export interface LateFault {
  /** Where it stands, in characters from the beginning. */
  readonly offset: number;
  readonly message: string;
}

/** Returns the field that stands at an offset, as `targets[1].model`, as far as names may be shown; undefined at the top. */
export function fieldAt(document: Document, offset: number): string | undefined {
  const path: PropertyKey[] = [];
  let node: unknown = document.contents;
  while (node !== undefined) {
    const step = stepTo(node, offset);
    if (step === undefined) break;
    if (step.name !== '<<') path.push(step.name);
    node = step.node;
  }
  return path.length === 0 ? undefined : formatPath(path);
}

/** Finds aliases without an anchor above them, and merges (`<<`) of something other than mappings. */
export function lateFaults(document: Document): readonly LateFault[] {
  const faults: LateFault[] = [];
  const startOf = (node: unknown): number => rangeOf(node) ?? 0;
  visit(document, {
    Alias: (_key, alias) => {
      if (alias.resolve(document) !== undefined) return;
      faults.push({ offset: startOf(alias), message: 'this alias has no anchor above it' });
    },
    Pair: (_key, { key, value }) => {
      if (!isScalar(key) || key.value !== '<<' || key.type !== 'PLAIN') return;
      const merged = isSeq(value) ? value.items : [value];
      const resolved = merged.map((item) => (isAlias(item) ? item.resolve(document) : item));
      if (resolved.every((item) => item === undefined || isMap(item))) return;
      faults.push({ offset: startOf(key), message: '`<<` takes a mapping, an alias of one, or a list of these' });
    },
  });
  return faults;
}

function stepTo(node: unknown, offset: number): { readonly name: PropertyKey; readonly node: unknown } | undefined {
  const begins = (item: unknown): boolean => (rangeOf(item) ?? Infinity) <= offset;
  if (isSeq(node)) {
    const index = node.items.findLastIndex(begins);
    return index < 0 ? undefined : { name: index, node: node.items[index] };
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.findLast((item) => isPair(item) && begins(item.key));
  const name = isScalar(pair?.key) ? pair.key.value : undefined;
  if (pair === undefined || typeof name !== 'string' || (!FIELD.test(name) && name !== '<<')) return undefined;
  return { name, node: begins(pair.value) ? pair.value : undefined };
}

function rangeOf(node: unknown): number | undefined {
  const range: unknown = typeof node === 'object' && node !== null && 'range' in node ? node.range : undefined;
  const start: unknown = Array.isArray(range) ? range[0] : undefined;
  return typeof start === 'number' ? start : undefined;
}
