import { indexIn } from '../../shared/json/odd-value.ts';
import type { JsonRecord } from '../../shared/json/value.ts';
import { asRecord } from '../../shared/json/value.ts';

/**
 * Finds the choice that counts, that of index 0; one whose index is null, missing or no number is meant as such. Undefined
 * where there is none.
 */
export function firstChoice(choices: unknown): JsonRecord | undefined {
  if (!Array.isArray(choices)) return undefined;
  for (const item of choices) {
    const choice = asRecord(item);
    if (choice !== undefined && (choice.index === 0 || (indexIn(choice.index) ?? 0) === 0)) return choice;
  }
  return undefined;
}

/** Where the message of a choice is looked for, in this order. */
export type MessageFields = readonly ('message' | 'delta' | 'text')[];

/**
 * Returns the message of a choice, or the delta of one: both have the same fields. Some servers write a whole message where a
 * delta belongs, or a bare text. Undefined where the choice says nothing of the answer; `malformed` where it says it in a way
 * that cannot be read.
 */
export function messageOf(choice: JsonRecord, fields: MessageFields): JsonRecord | undefined | 'malformed' {
  let message: unknown;
  for (const field of fields) {
    message = choice[field];
    if (message !== undefined && message !== null) break;
  }
  if (message === undefined || message === null) return undefined;
  return typeof message === 'string' ? { content: message } : (asRecord(message) ?? 'malformed');
}
