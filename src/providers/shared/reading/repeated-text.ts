import type { RepeatedForm } from '../../port/adapter.ts';
import { endOfJsonString, jsonStringOf } from '../../../core/formats/json-string.ts';

/** So many times in a row may what is learnt of one answer turn out useless before nothing more is learnt of it. */
const MOST_IN_VAIN = 4;

/** Stands where the text stood, to see whether that is where its reader finds it. */
const PROBE = 'probe';

/**
 * Finds the text of an event that differs in nothing but one text from an event before it, as most of a stream do: without parsing the
 * rest again. What it finds is what a parser would have found: the text stood in one whole string of JSON, and what stands in its
 * place is the inside of one, too (`docs/adr/0041-repeated-events-are-not-parsed-again.md`).
 */
export class RepeatedText {
  readonly #kind: RepeatedForm['kind'];
  readonly #field: RegExp;
  readonly #read: (json: unknown) => unknown;
  #form: RepeatedForm | undefined;
  #inVain = 0;

  /**
   * @param field finds where the string begins in JSON: its name, the colon and the quote
   * @param read finds the string in a parsed event
   */
  constructor(kind: RepeatedForm['kind'], field: RegExp, read: (json: unknown) => unknown) {
    this.#kind = kind;
    this.#field = field;
    this.#read = read;
  }

  /** What was learnt; undefined for nothing. */
  get form(): RepeatedForm | undefined {
    return this.#form;
  }

  /** Notes that it was of use. */
  used(): void {
    this.#inVain = 0;
  }

  /** Returns the text of an event; undefined where it differs in anything else, or nothing is learnt yet. */
  textIn(data: string): string | undefined {
    if (this.#form === undefined) return undefined;
    const { before, behind } = this.#form;
    const start = before.length;
    const end = data.length - behind.length;
    if (end < start) return undefined;
    // Whole strings are compared by machine words, and startsWith by characters.
    if (data.slice(0, start) !== before || data.slice(end) !== behind) return undefined;
    if (endOfJsonString(data, start) !== end) return undefined;
    this.used();
    return jsonStringOf(data.slice(start, end));
  }

  /** Learns from an event that said nothing but a text, and had been read before, so that reading it again changed nothing else. */
  learn(data: string): void {
    this.#form = undefined;
    if (this.#inVain >= MOST_IN_VAIN) return;
    this.#inVain += 1;
    const found = this.#field.exec(data);
    if (found === null) return;
    const start = found.index + found[0].length;
    const end = endOfJsonString(data, start);
    if (end === -1) return;
    const form = { kind: this.#kind, before: data.slice(0, start), behind: data.slice(end) };
    if (this.#isPlace(form)) this.#form = form;
  }

  /** Takes from its reader, who can tell, what stands around the text. */
  expect(before: string, behind: string): void {
    this.#form = { kind: this.#kind, before, behind };
  }

  /** Takes no event for a repetition of those that were learnt. */
  forget(): void {
    this.#form = undefined;
  }

  #isPlace({ before, behind }: RepeatedForm): boolean {
    try {
      return this.#read(JSON.parse(before + PROBE + behind)) === PROBE;
    } catch {
      return false;
    }
  }
}
