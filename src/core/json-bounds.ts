/** Deepest nesting that is parsed; also the longest text that needs no look, since no shorter one can be deeper. */
const MAX_DEPTH = 512;
/** Most objects and lists that are parsed: a quarter of a million empty ones take V8 50 ms and 25 MB. */
const MAX_CONTAINERS = 250_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * Whether a JSON text should not be parsed: it is nested deeper than `maxDepth`, 512 where nothing else is said, or has more
 * than 250,000 objects and lists. V8 takes 1.8 s and a gigabyte for 5 MB of `[`. One pass over the text; texts of at most
 * `maxDepth` characters or brackets are not looked at. Whether the text is JSON at all is for the parser to say.
 */
export function exceedsJsonBounds(text: string, maxDepth = MAX_DEPTH): boolean {
  if (text.length <= maxDepth || !opensMoreThan(text, Math.min(maxDepth, MAX_CONTAINERS))) return false;
  let depth = 0;
  let containers = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at);
        if (at === -1) return false;
        break;
      case OPEN_BRACKET:
      case OPEN_BRACE:
        depth++;
        containers++;
        if (depth > maxDepth || containers > MAX_CONTAINERS) return true;
        break;
      case CLOSE_BRACKET:
      case CLOSE_BRACE:
        depth--;
        break;
      default:
    }
  }
  return false;
}

/** Whether a text has more brackets than that, within its strings or not: without them it cannot be nested deeper. */
function opensMoreThan(text: string, most: number): boolean {
  let left = most;
  for (const bracket of ['{', '[']) {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) {
      left -= 1;
      if (left < 0) return true;
    }
  }
  return false;
}

/** Returns where the string that begins at a place ends, at its closing quote; -1 where it does not. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let before = at - 1;
    while (text.charCodeAt(before) === BACKSLASH) before--;
    // A quote behind an odd number of backslashes is part of the string.
    if ((at - before) % 2 === 1) return at;
  }
  return -1;
}
