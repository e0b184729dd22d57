const ENCODER = new TextEncoder();
const BACKSLASH = 0x5c;

/** `JSON.stringify` writes half a surrogate pair, and nothing else, as an escape that begins so. */
const HALF_PAIR = Buffer.from(String.raw`\ud`);
const REPLACEMENT = Buffer.from(String.raw`\ufffd`);

/**
 * Encodes JSON that `JSON.stringify` has written, with U+FFFD in place of each half of a surrogate pair: strict parsers refuse the
 * whole text because of one (RFC 8259, section 8.2), and a provider may well send one. Without any, it costs one search.
 */
export const JSON_ENCODER = {
  encode(json = ''): Uint8Array<ArrayBuffer> {
    const bytes = ENCODER.encode(json);
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = view.indexOf(HALF_PAIR); at !== -1; at = view.indexOf(HALF_PAIR, at + HALF_PAIR.length)) {
      if (isEscape(view, at)) view.set(REPLACEMENT, at);
    }
    return bytes;
  },
};

/** Whether a backslash begins an escape: an odd number of them before it makes it the second half of one. */
function isEscape(bytes: Buffer, at: number): boolean {
  let before = at;
  while (before > 0 && bytes[before - 1] === BACKSLASH) before -= 1;
  return (at - before) % 2 === 0;
}
