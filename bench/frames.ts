/** Bytes before each message: a flag for compression, and the length. */
const HEAD_BYTES = 5;

/** Puts a message into a gRPC frame. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(HEAD_BYTES + message.byteLength);
  framed.writeUInt8(0, 0);
  framed.writeUInt32BE(message.byteLength, 1);
  framed.set(message, HEAD_BYTES);
  return framed;
}

/** Takes the messages out of complete gRPC frames. Throws where a frame is cut off or compressed. */
export function unframe(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    if (bytes.length - at < HEAD_BYTES || bytes[at] !== 0) throw new Error('an answer is no sequence of gRPC frames');
    const end = at + HEAD_BYTES + bytes.readUInt32BE(at + 1);
    if (end > bytes.length) throw new Error('the last message of an answer is cut off');
    messages.push(bytes.subarray(at + HEAD_BYTES, end));
    at = end;
  }
  return messages;
}

/** Counts the messages in bytes that come in pieces, without keeping them. */
export class FrameCounter {
  readonly #head = Buffer.allocUnsafe(HEAD_BYTES);
  #headBytes = 0;
  #left = 0;
  /** Messages that were complete. */
  messages = 0;

  /** Takes the next piece. */
  push(piece: Buffer): void {
    let at = 0;
    while (at < piece.length) {
      if (this.#headBytes < HEAD_BYTES) {
        const copied = piece.copy(this.#head, this.#headBytes, at);
        const taken = Math.min(copied, HEAD_BYTES - this.#headBytes);
        this.#headBytes += taken;
        at += taken;
        if (this.#headBytes < HEAD_BYTES) return;
        this.#left = this.#head.readUInt32BE(1);
      }
      const taken = Math.min(this.#left, piece.length - at);
      this.#left -= taken;
      at += taken;
      if (this.#left > 0) return;
      this.messages += 1;
      this.#headBytes = 0;
    }
  }

  /** Whether the bytes ended at the end of a message. */
  get isComplete(): boolean {
    return this.#headBytes === 0;
  }
}
