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
 * Parses the text of a JSON object so that writing it again loses nothing: a number that JavaScript would write otherwise
 * keeps its digits, be it an integer above 2^53 or `1.0`. Undefined where the text is no JSON object.
 */
export function exactJson(text: string): JsonRecord | undefined {
  try {
    return asRecord(JSON.parse(text, keepDigits));
  } catch {
    return undefined;
  }
}

function keepDigits(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || source === undefined) return value;
  return String(value) === source ? value : JSON.rawJSON(source);
}
