const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LEAST_PLAIN = 0x20;
const UNICODE = 0x75;

const ESCAPED: ReadonlySet<number> = new Set(Array.from('"\\/bfnrt', (letter) => letter.charCodeAt(0)));
const FOUR_DIGITS = /[\dA-Fa-f]{4}/y;

/** Returns where the string of JSON ends whose inside begins at a place: at its closing quote. -1 where it is none, or does not end. */
export function endOfJsonString(text: string, from: number): number {
  let at = from;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code < LEAST_PLAIN) return -1;
    const length = code === BACKSLASH ? escapeLength(text, at + 1) : 1;
    if (length === 0) return -1;
    at += length;
  }
  return -1;
}

/** Returns the string of JSON whose inside this is, from one quote to the other as {@link endOfJsonString} finds them. */
export function jsonStringOf(inside: string): string {
  return inside.includes('\\') ? String(JSON.parse(`"${inside}"`)) : inside;
}

/** The length of an escape of which the backslash stands before a place; 0 for none. */
function escapeLength(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (ESCAPED.has(code)) return 2;
  FOUR_DIGITS.lastIndex = at + 1;
  return code === UNICODE && FOUR_DIGITS.test(text) ? 6 : 0;
}
