import { asRecord } from './value.ts';

/** Where an object has its words, first found. */
const FIELDS = ['text', 'thinking', 'reasoning', 'refusal', 'summary', 'content', 'value'] as const;

/**
 * Reads words that a provider may write in another type than text: numbers and booleans are written out, parts of a list
 * joined, and of an object the field that has them is read. Nothing, that is null or no value, is the empty text. Undefined
 * where there are no words to be found: such a value must not pass for an empty text.
 */
export function wordsIn(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) return '';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) {
    const pieces = value.map(wordsIn);
    return pieces.includes(undefined) ? undefined : pieces.join('');
  }
  const record = asRecord(value);
  const field = FIELDS.find((name) => record?.[name] !== undefined && record[name] !== null);
  return field === undefined ? undefined : wordsIn(record?.[field]);
}

/** Returns a word that names something (an id, a tool), which some servers write as a number; otherwise the empty text. */
export function nameIn(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? String(value) : '';
}

/** Returns a place in a list, a whole number from 0, also where it is written as a text; undefined where there is none. */
export function indexIn(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : undefined;
}

/** Whether a field says something: neither null, absent, false nor the empty text. */
export function isSaid(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '' && value !== false;
}
