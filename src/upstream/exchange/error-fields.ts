const FIELD = 'error:';
const EVENT = 'event: error\ndata:';
const IN_TEXT = /([\r\n])error:/g;

/** Rewrites the text of a stream of Server-Sent Events on its way to the parser. */
export interface ErrorFields {
  /** Takes a piece, cut anywhere, and returns what of the text is ready. */
  push(text: string): string;
  /** Returns what was kept back at the end of the body. */
  end(): string;
}

/**
 * Turns lines of a field `error`, which the standard does not have and older llama.cpp servers send, into events of that name.
 * Source: https://github.com/ggml-org/llama.cpp/issues/14566
 */
export function createErrorFields(): ErrorFields {
  /** The beginning of a line that may become such a field. */
  let held = '';
  let beginsLine = true;
  return {
    push: (piece) => {
      const text = held === '' ? piece : held + piece;
      if (text === '') return '';
      const startsAtLine = beginsLine;
      held = isLineEnd(text, text.length - 1) ? '' : beginningOf(text, startsAtLine);
      beginsLine = held !== '' || isLineEnd(text, text.length - 1);
      const ready = held === '' ? text : text.slice(0, -held.length);
      if (!ready.includes(FIELD)) return ready;
      const renamed = ready.replaceAll(IN_TEXT, `$1${EVENT}`);
      return startsAtLine && renamed.startsWith(FIELD) ? EVENT + renamed.slice(FIELD.length) : renamed;
    },
    end: () => held,
  };
}

/** Returns the last line of a text where it is the beginning of the field's name, otherwise the empty text. */
function beginningOf(text: string, startsAtLine: boolean): string {
  for (let length = 1; length < FIELD.length; length += 1) {
    const at = text.length - length;
    if (at < 0) return '';
    const isAtLine = at === 0 ? startsAtLine : isLineEnd(text, at - 1);
    if (isAtLine) return FIELD.startsWith(text.slice(at)) ? text.slice(at) : '';
  }
  return '';
}

function isLineEnd(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 0x0a || code === 0x0d;
}
