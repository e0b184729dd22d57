import type { ParseError } from 'eventsource-parser';

/** Errors are small; a longer line is none. */
const LONGEST = 64 * 1024;

/** The beginning of a line that may become `error: …`, or that is one without its end. */
const BEGUN = /^(?:e|er|err|erro|error(?::.*)?)$/;

/**
 * Holds the last line of a piece of a stream back where it may be an error that is cut, since the parser drops lines of fields
 * that it does not know unless they come whole. Nothing is looked at where a piece ends with its line.
 */
export class ErrorLines {
  #held = '';
  #isAtStart = true;

  /** Takes a piece of text, and returns what can be parsed now. */
  take(piece: string): string {
    const text = this.#held === '' ? piece : this.#held + piece;
    if (text === '') return text;
    const wasAtStart = this.#isAtStart || this.#held !== '';
    this.#held = '';
    this.#isAtStart = text.endsWith('\n') || text.endsWith('\r');
    if (this.#isAtStart) return text;
    const from = Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r')) + 1;
    const mayBeError = (from > 0 || wasAtStart) && text.charAt(from) === 'e' && text.length - from <= LONGEST;
    if (!mayBeError || !BEGUN.test(text.slice(from))) return text;
    this.#held = text.slice(from);
    return text.slice(0, from);
  }

  /** Returns what is held back; the stream has ended. */
  rest(): string {
    const held = this.#held;
    this.#held = '';
    return held;
  }
}

/**
 * Returns the data of an error that stands where data belong: older llama.cpp writes `error: {…}` into a stream, others the object
 * alone. Undefined: the line is neither.
 */
export function errorInLine({ field, value, line = '' }: ParseError): string | undefined {
  if (field === 'error') return value;
  return /^\s*\{\s*"(?:error"\s*:|(?:object|type)"\s*:\s*"error").*\}\s*$/.test(line) ? line.trim() : undefined;
}
