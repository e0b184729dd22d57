import { isObject } from '../shared/fields.ts';
import type { Json } from '../shared/fields.ts';

/** Finds what a reference means; undefined where it leads nowhere. */
export type FindReference = (reference: string) => unknown;

/** Makes the look-up of the references within a schema: pointers, anchors, and the ids that it gives itself and its parts. */
export function referencesOf(root: unknown): FindReference {
  const named = new Map<string, unknown>();
  note(root, '', named);
  const ownId = isObject(root) && typeof root['$id'] === 'string' ? root['$id'].replace(/#$/, '') : '';
  return (reference) => {
    const hash = reference.indexOf('#');
    const id = hash < 0 ? reference : reference.slice(0, hash);
    const fragment = hash < 0 ? '' : reference.slice(hash + 1);
    const isOwn = id === '' || id === ownId;
    const resource = isOwn ? root : (named.get(id) ?? named.get(resolved(id, ownId)));
    if (fragment === '') return resource;
    return fragment.startsWith('/') ? atPointer(resource, fragment) : named.get(`#${fragment}`);
  };
}

/** Notes the ids and anchors of a schema and of all within it. */
function note(value: unknown, base: string, named: Map<string, unknown>): void {
  if (Array.isArray(value)) for (const item of value) note(item, base, named);
  if (!isObject(value)) return;
  const { $id, $anchor, $dynamicAnchor } = value;
  const id = typeof $id === 'string' ? resolved($id.replace(/#$/, ''), base) : base;
  if (typeof $id === 'string') for (const name of [$id, id]) if (!named.has(name)) named.set(name, value);
  for (const anchor of [$anchor, $dynamicAnchor]) {
    if (typeof anchor === 'string' && !named.has(`#${anchor}`)) named.set(`#${anchor}`, value);
  }
  for (const part of Object.values(value)) note(part, id, named);
}

function resolved(id: string, base: string): string {
  return URL.canParse(id, base === '' ? undefined : base) ? new URL(id, base === '' ? undefined : base).href : id;
}

function atPointer(resource: unknown, pointer: string): unknown {
  const steps = pointer.slice(1).split('/');
  return steps.reduce<unknown>((found, step) => {
    if (typeof found !== 'object' || found === null) return undefined;
    const key = unescaped(step);
    return Object.hasOwn(found, key) ? (found as Json)[key] : undefined;
  }, resource);
}

function unescaped(step: string): string {
  const plain = step.replaceAll('~1', '/').replaceAll('~0', '~');
  try {
    return decodeURIComponent(plain);
  } catch {
    return plain;
  }
}
