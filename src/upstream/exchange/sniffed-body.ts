import type { Failure } from '../../core/failure.ts';
import { unmarkedEnd } from '../port/answer-failures.ts';
import type { BodyReader } from './body-reader.ts';

/** What a body looks like by its first characters: a JSON document, Server-Sent Events, or something else, such as a page. */
type BodyForm = 'json' | 'sse' | 'other';

/** Bytes that are kept at most before the form shows. */
const MOST_HELD = 64 * 1024;

const NOTHING: ReturnType<BodyReader['push']> = [];

const BLANK: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const;
const BRACE = 0x7b;
const BRACKET = 0x5b;

/** How events begin: with a comment, or a field of the standard. */
const EVENT_START = /^(?::|(?:data|event|id|retry)\s*:)/;
const MAY_BECOME_EVENT = /^(?:d|da|dat|data|e|ev|eve|even|event|i|id|r|re|ret|retr|retry)\s*$/;

/**
 * Reads a body whose content-type says less than its first characters, by the reader that `choose` has for its form. Until the
 * form shows, what came is kept: the blanks before it.
 */
export class SniffedBody implements BodyReader {
  readonly #choose: (form: BodyForm) => BodyReader;
  #chosen: BodyReader | undefined;
  /** Most bodies show their form with the first bytes. */
  #held: Buffer | undefined;

  constructor(choose: (form: BodyForm) => BodyReader) {
    this.#choose = choose;
  }

  push(chunk: Uint8Array): ReturnType<BodyReader['push']> {
    if (this.#chosen !== undefined) return this.#chosen.push(chunk);
    const begun = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk]);
    const form = formOf(begun) ?? (begun.length > MOST_HELD ? 'other' : undefined);
    if (form !== undefined) return this.#settle(form).push(begun);
    this.#held = Buffer.from(begun);
    return NOTHING;
  }

  end(): ReturnType<BodyReader['end']> {
    if (this.#chosen !== undefined) return this.#chosen.end();
    const reader = this.#settle('other');
    return this.#held === undefined ? reader.end() : [...reader.push(this.#held), ...reader.end()];
  }

  broken(failure: Failure): Failure {
    return this.#chosen?.broken(failure) ?? failure;
  }

  unfinished(): Failure {
    return this.#chosen?.unfinished() ?? unmarkedEnd();
  }

  #settle(form: BodyForm): BodyReader {
    const reader = this.#choose(form);
    this.#chosen = reader;
    return reader;
  }
}

/** Undefined where more is needed. */
function formOf(bytes: Uint8Array): BodyForm | undefined {
  const from = startOf(bytes);
  const first = bytes[from];
  const isHalfMark = bytes.length < BYTE_ORDER_MARK.length && bytes[0] === BYTE_ORDER_MARK[0];
  if (first === undefined || isHalfMark) return undefined;
  if (first === BRACE || first === BRACKET) return 'json';
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, Math.min(16, bytes.length - from)).toString('latin1');
  if (EVENT_START.test(text)) return 'sse';
  return MAY_BECOME_EVENT.test(text) && bytes.length - from < 16 ? undefined : 'other';
}

/** Where the first character stands that is no blank. */
function startOf(bytes: Uint8Array): number {
  let at = BYTE_ORDER_MARK.every((byte, index) => bytes[index] === byte) ? BYTE_ORDER_MARK.length : 0;
  while (at < bytes.length && BLANK.has(bytes[at] ?? 0)) at += 1;
  return at;
}

/**
 * Reads a body that is said to be a stream. Where it begins as a JSON document, has no event in it and is one document to its end,
 * it is read by `json`: some servers answer in one piece, and keep to the type that was asked for.
 */
export function createStreamOrJson(stream: BodyReader, json: () => BodyReader): BodyReader {
  let document: BodyReader | undefined;
  /** Until the form shows: it holds the head of the answer. */
  let choose: (() => BodyReader) | undefined = json;
  return {
    push: (chunk) => {
      if (choose !== undefined) {
        const form = formOf(chunk);
        if (form === 'json') document = choose();
        if (form !== undefined) choose = undefined;
      }
      if (document === undefined) return stream.push(chunk);
      const told = stream.push(chunk);
      document.push(chunk);
      if (told.length > 0) document = undefined;
      return told;
    },
    end: () => {
      const told = stream.end();
      return told.length > 0 || document === undefined ? told : document.end();
    },
    broken: (failure) => stream.broken(failure),
    unfinished: () => stream.unfinished(),
  };
}
