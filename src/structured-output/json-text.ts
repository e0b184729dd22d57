/** Deepest nesting of a JSON text that a request may carry. */
const MAX_DEPTH = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** An object, or what is wrong with the text of one: a sentence that begins with `must`. */
export type CheckedJson = { readonly object: Readonly<Record<string, unknown>> } | { readonly problem: string };

/** Reads the text of a JSON object, whose length in bytes and whose depth are bounded before it is parsed. */
export function checkJsonObject(text: string, maxBytes: number): CheckedJson {
  if (Buffer.byteLength(text) > maxBytes) return { problem: `must be at most ${maxBytes / 1024} KiB long` };
  if (depthOf(text) > MAX_DEPTH) return { problem: `must be nested at most ${MAX_DEPTH} deep` };
  const object = parseObject(text);
  return object === undefined ? { problem: 'must be a JSON object' } : { object };
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** Returns how deep brackets and braces are nested, those within strings left out. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let isString = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (isString) {
      if (char === BACKSLASH) at += 1;
      else if (char === QUOTE) isString = false;
    } else if (char === QUOTE) {
      isString = true;
    } else if (char === OPEN_BRACE || char === OPEN_BRACKET) {
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (char === CLOSE_BRACE || char === CLOSE_BRACKET) {
      depth -= 1;
    }
  }
  return deepest;
}
