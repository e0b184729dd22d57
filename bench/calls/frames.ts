/** Bytes before each message: flags, and the length. */
const HEAD_BYTES = 5;
/** Of the last frame of a stream of Connect, which has JSON about its end. */
const END_FLAG = 2;

/** Puts a message into a frame of gRPC or Connect. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(HEAD_BYTES + message.byteLength);
  framed.writeUInt8(0, 0);
  framed.writeUInt32BE(message.byteLength, 1);
  framed.set(message, HEAD_BYTES);
  return framed;
}

/** Takes the messages out of complete frames, without Connect's last one. Throws where a frame is cut off or compressed. */
export function unframe(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const flags = bytes[at];
    if (bytes.length - at < HEAD_BYTES || (flags !== 0 && flags !== END_FLAG))
      throw new Error('an answer is no sequence of frames');
    const end = at + HEAD_BYTES + bytes.readUInt32BE(at + 1);
    if (end > bytes.length) throw new Error('the last message of an answer is cut off');
    if (flags === 0) messages.push(bytes.subarray(at + HEAD_BYTES, end));
    at = end;
  }
  return messages;
}

/** Counts the messages in bytes that come in pieces, and keeps nothing but how a stream of Connect has ended. */
export class FrameCounter {
  readonly #head = Buffer.allocUnsafe(HEAD_BYTES);
  #headBytes = 0;
  #left = 0;
  /** Messages that were complete. */
  messages = 0;
  /** What Connect's last frame says; undefined until it begins. */
  end: string | undefined;

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
        if (this.#head[0] === END_FLAG) this.end = '';
      }
      const taken = Math.min(this.#left, piece.length - at);
      if (this.end !== undefined) this.end += piece.toString('latin1', at, at + taken);
      this.#left -= taken;
      at += taken;
      if (this.#left > 0) return;
      if (this.end === undefined) this.messages += 1;
      this.#headBytes = 0;
    }
  }

  /** Whether the bytes ended at the end of a message. */
  get isComplete(): boolean {
    return this.#headBytes === 0;
  }
}
