import { exceedsJsonBounds } from '../core/json-bounds.ts';

/** Deepest nesting of a JSON text that a request may carry. */
const MAX_DEPTH = 64;

/** What is wrong with an answer that is nested too deeply to be parsed. */
export const TOO_DEEP = 'it is nested too deeply';

/** An object, or what is wrong with the text of one: a sentence that begins with `must`. */
export type CheckedJson = { readonly object: Readonly<Record<string, unknown>> } | { readonly problem: string };

/** Reads the text of a JSON object, whose length in bytes and whose depth are bounded before it is parsed. */
export function checkJsonObject(text: string, maxBytes: number): CheckedJson {
  if (Buffer.byteLength(text) > maxBytes) return { problem: `must be at most ${maxBytes / 1024} KiB long` };
  if (exceedsJsonBounds(text, MAX_DEPTH)) return { problem: `must be nested at most ${MAX_DEPTH} deep` };
  const object = parseObject(text);
  return object === undefined ? { problem: 'must be a JSON object' } : { object };
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
