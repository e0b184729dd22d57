import { exceedsJsonBounds } from '../../../core/json-bounds.ts';

/** A JSON object whose fields are not known yet. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** Returns the value as an object, or undefined where it is none; arrays are none. The parse boundary of all vendor JSON. */
export function asRecord(value: unknown): JsonRecord | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonRecord) : undefined;
}

/** Returns the objects of an array, in order; of anything else none. */
export function recordsOf(value: unknown): readonly JsonRecord[] {
  if (!Array.isArray(value)) return NO_RECORDS;
  const records: JsonRecord[] = [];
  for (const item of value) {
    const record = asRecord(item);
    if (record !== undefined) records.push(record);
  }
  return records;
}

const NO_RECORDS: readonly JsonRecord[] = [];

/** Returns the value where it is a text, otherwise the empty text. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** No call has more of anything than this; sums of several counts still fit the 31 bits that the contract has for them. */
const MOST = 500_000_000;

/** Returns the value where it is a count that can be trusted: a whole number from 0 to 500,000,000. */
export function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MOST ? value : undefined;
}

/** Parses a JSON text, blanks around it allowed; undefined where it is malformed, or beyond the bounds of what is parsed. */
export function parseJson(text: string): unknown {
  if (exceedsJsonBounds(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Returns a vendor's word, such as an error code or a finish reason, where it is one: letters, digits and `._-`, at most 64.
 * Numbers are written out. Anything else might carry a sentence or a secret and is undefined.
 */
export function wordOf(value: unknown): string | undefined {
  const word = typeof value === 'number' ? String(value) : value;
  return typeof word === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(word) ? word : undefined;
}
