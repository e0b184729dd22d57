import type { JsonRecord } from './value.ts';
import { asRecord } from './value.ts';

declare global {
  /** What TypeScript's own declarations lack of https://github.com/tc39/proposal-json-parse-with-source. */
  interface JSON {
    rawJSON(text: string): object;
    parse(
      text: string,
      reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
    ): unknown;
  }
}

/**
 * Parses the text of a JSON object so that writing it again loses nothing: a number that a double cannot hold keeps its
 * digits. Undefined where the text is no JSON object.
 */
export function exactJson(text: string): JsonRecord | undefined {
  try {
    return asRecord(JSON.parse(text, keepDigits));
  } catch {
    return undefined;
  }
}

function keepDigits(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || source === undefined || Number.isSafeInteger(value)) return value;
  return Number.isFinite(value) && !Number.isInteger(value) ? value : JSON.rawJSON(source);
}
