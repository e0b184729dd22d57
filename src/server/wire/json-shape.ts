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

/** The name of every 64-bit number: its digits may stand in a string, and to read them takes more than linear time. */
const NUMBER = Buffer.from('"seed"');

/** Longest string that may be such a number, in bytes. */
const MAX_NUMBER_BYTES = 64 * 1024;

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
        const length = at - stringAt;
        if (length > LONG_BYTES && isName(bytes, nameAt, DATA)) attachmentBytes += length;
        else if (length > MAX_NUMBER_BYTES && mayBeName(bytes, nameAt, NUMBER)) return 'malformed';
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

function isName(bytes: Uint8Array, at: number, name: Uint8Array): boolean {
  for (let index = 0; index < name.length; index += 1) if (bytes[at + index] !== name[index]) return false;
  return true;
}

/** Whether a name is this one, or has escapes, behind which it may hide. */
function mayBeName(bytes: Uint8Array, at: number, name: Uint8Array): boolean {
  return isName(bytes, at, name) || bytes.subarray(at, endOfString(bytes, at)).includes(BACKSLASH);
}
