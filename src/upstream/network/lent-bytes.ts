/** What one answer has at most waiting, and a piece more. */
const ROOM = Buffer.allocUnsafeSlow(128 * 1024);

let isLent = false;

/**
 * Joins the pieces of a body for as long as `use` takes, in memory that all bodies share: new memory for each would cost several times what
 * joining does. Whoever keeps them longer asks for {@link keptBytes}. What does not fit, and what is joined meanwhile, has memory of its own.
 */
export function lendJoined(pieces: readonly Uint8Array[], use: (whole: Uint8Array) => void): void {
  const byteLength = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  if (isLent || byteLength > ROOM.byteLength) return use(Buffer.concat(pieces, byteLength));
  let at = 0;
  for (const piece of pieces) {
    ROOM.set(piece, at);
    at += piece.byteLength;
  }
  isLent = true;
  try {
    use(ROOM.subarray(0, byteLength));
  } finally {
    isLent = false;
  }
}

/** Returns bytes of a body as they may be kept: copied where they were lent. */
export function keptBytes(bytes: Uint8Array): Uint8Array {
  return bytes.buffer === ROOM.buffer ? Buffer.from(bytes) : bytes;
}
