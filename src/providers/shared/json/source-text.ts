import { exactJson } from './exact-json.ts';
import { asRecord } from './value.ts';

/** Numbers that JavaScript may write with other digits: long ones, fractions, exponents and the negative zero. */
const INEXACT = /\d{16}|\d[.eE]|-0/;

/**
 * The text from which a value was parsed. What stands in it as an object and has to be a text in the answer (arguments of a
 * call) is written from here, with the digits of its numbers as the provider wrote them. Nothing is done before that is asked.
 */
export class JsonSource {
  #text: string | undefined;
  #root: unknown;
  #twins: ReadonlyMap<object, unknown> | undefined;

  /** Takes the next text, and what it was parsed to; without a text values are written as they were parsed. */
  read(text: string | undefined, root: unknown): void {
    this.#text = text;
    this.#root = root;
    this.#twins = undefined;
  }

  /** Writes a part of the parsed value as JSON without blanks. */
  write(part: unknown): string {
    return JSON.stringify(this.#twinOf(part)) ?? '';
  }

  #twinOf(part: unknown): unknown {
    if (typeof part !== 'object' || part === null || this.#text === undefined) return part;
    this.#twins ??= twinsOf(this.#text, this.#root);
    return this.#twins.get(part) ?? part;
  }
}

function twinsOf(text: string, root: unknown): ReadonlyMap<object, unknown> {
  const twins = new Map<object, unknown>();
  if (INEXACT.test(text)) pair(root, exactJson(text), twins);
  return twins;
}

/** Maps every object and list to the one at the same place that was read exactly. */
function pair(plain: unknown, exact: unknown, twins: Map<object, unknown>): void {
  if (typeof plain !== 'object' || plain === null || typeof exact !== 'object' || exact === null) return;
  twins.set(plain, exact);
  if (Array.isArray(plain) && Array.isArray(exact)) {
    for (const [index, item] of plain.entries()) pair(item, exact[index], twins);
    return;
  }
  const others = asRecord(exact) ?? {};
  for (const [key, value] of Object.entries(plain)) pair(value, others[key], twins);
}
