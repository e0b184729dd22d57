/** So many times in a row may what is learnt of one answer turn out useless before nothing more is learnt of it. */
const MOST_IN_VAIN = 4;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LEAST_PLAIN = 0x20;

/** Stands where the text stood, to see whether that is where its reader finds it. */
const PROBE = 'probe';

/**
 * Finds the text of an event that differs in nothing but one text from an event before it, as most of a stream do: without parsing the
 * rest again. What it finds is what a parser would have found: the text stood in one whole string of JSON, and what stands in its
 * place is the inside of one, too (`docs/adr/0041-repeated-events-are-not-parsed-again.md`).
 */
export class RepeatedText {
  readonly #field: RegExp;
  readonly #read: (json: unknown) => unknown;
  #prefix = '';
  #suffix = '';
  #inVain = 0;

  /**
   * @param field the name of the string in JSON
   * @param read finds the string in a parsed event
   */
  constructor(field: string, read: (json: unknown) => unknown) {
    this.#field = new RegExp(`"${field}"\\s*:\\s*"`);
    this.#read = read;
  }

  /** Returns the text of an event; undefined where it differs in anything else, or nothing is learnt yet. */
  textIn(data: string): string | undefined {
    const start = this.#prefix.length;
    const end = data.length - this.#suffix.length;
    if (start === 0 || end < start) return undefined;
    // Whole strings are compared by machine words, and startsWith by characters.
    if (data.slice(0, start) !== this.#prefix || data.slice(end) !== this.#suffix) return undefined;
    const text = stringOf(data.slice(start, end));
    if (text !== undefined) this.#inVain = 0;
    return text;
  }

  /** Learns from an event that said nothing but a text, and had been read before, so that reading it again changed nothing else. */
  learn(data: string): void {
    this.#prefix = '';
    if (this.#inVain >= MOST_IN_VAIN) return;
    this.#inVain += 1;
    const found = this.#field.exec(data);
    if (found === null) return;
    const prefix = data.slice(0, found.index + found[0].length);
    const suffix = data.slice(endOfString(data, prefix.length));
    if (!suffix.startsWith('"') || !this.#isPlace(prefix, suffix)) return;
    this.#prefix = prefix;
    this.#suffix = suffix;
  }

  /** Takes no event for a repetition of those that were learnt. */
  forget(): void {
    this.#prefix = '';
  }

  #isPlace(prefix: string, suffix: string): boolean {
    try {
      return this.#read(JSON.parse(prefix + PROBE + suffix)) === PROBE;
    } catch {
      return false;
    }
  }
}

/** Returns where the string ends whose inside begins at a place: at its closing quote, or at the end of the text. */
function endOfString(text: string, start: number): number {
  let at = start;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at;
}

/** Returns the string that JSON has between two quotes; undefined where it is none. */
function stringOf(inside: string): string | undefined {
  for (let at = 0; at < inside.length; at++) {
    const code = inside.charCodeAt(at);
    if (code === BACKSLASH) return escapedString(inside);
    if (code === QUOTE || code < LEAST_PLAIN) return undefined;
  }
  return inside;
}

function escapedString(inside: string): string | undefined {
  try {
    const text: unknown = JSON.parse(`"${inside}"`);
    return typeof text === 'string' ? text : undefined;
  } catch {
    return undefined;
  }
}
