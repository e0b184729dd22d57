import type { ShapeFault, ShapeLimits } from './message-shape.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Strings of so many bytes are worth the question whether they are attachments. */
const LONG_BYTES = 1024;

/** The name of every `bytes` field of the contract, in quotes. */
const DATA = Buffer.from('"data"');

/**
 * Looks at a message in JSON (UTF-8) without parsing it: one pass, nothing allocated, strings skipped. What stands under the
 * name `data` counts as an attachment. Whether it is JSON at all is for the parser to say.
 *
 * @returns the first fault, or how many values there are
 */
export function lookAtJson(bytes: Uint8Array, limits: ShapeLimits): ShapeFault | number {
  let fields = 1;
  let depth = 0;
  let attachmentBytes = 0;
  // Where the last string began, and that of the last name.
  let stringAt = 0;
  let nameAt = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    switch (bytes[at] ?? 0) {
      case QUOTE: {
        stringAt = at;
        at = endOfString(bytes, at);
        if (at - stringAt > LONG_BYTES && isData(bytes, nameAt)) attachmentBytes += at - stringAt;
        break;
      }
      case COLON:
        nameAt = stringAt;
        break;
      case OPEN_BRACE:
      case OPEN_BRACKET:
        depth += 1;
        fields += 1;
        if (depth > limits.nesting) return 'too_deep';
        if (fields > limits.fields) return 'too_many_fields';
        break;
      case COMMA:
        fields += 1;
        if (fields > limits.fields) return 'too_many_fields';
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        depth -= 1;
        break;
      default:
    }
  }
  return bytes.length - attachmentBytes > limits.textBytes ? 'too_much_text' : fields;
}

/** Returns where the string that begins at `start` has its closing quote, or the end where it has none. */
function endOfString(bytes: Uint8Array, start: number): number {
  let at = start;
  for (;;) {
    at = bytes.indexOf(QUOTE, at + 1);
    if (at === -1) return bytes.length;
    let backslashes = 0;
    while (bytes[at - 1 - backslashes] === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
}

function isData(bytes: Uint8Array, at: number): boolean {
  for (let index = 0; index < DATA.length; index += 1) if (bytes[at + index] !== DATA[index]) return false;
  return true;
}
