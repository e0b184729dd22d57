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
  #headBytes = 0;
  #flags = 0;
  #left = 0;
  /** Messages that were complete. */
  messages = 0;
  /** What Connect's last frame says; undefined until it begins. */
  end: string | undefined;

  /** Takes the next piece: the bytes from `from` to `to`. */
  push(bytes: Buffer, from = 0, to = bytes.length): void {
    let at = from;
    while (at < to) {
      for (; this.#headBytes < HEAD_BYTES && at < to; at++) this.#takeHead(bytes[at] ?? 0);
      if (this.#headBytes < HEAD_BYTES) return;
      if (this.#flags === END_FLAG) this.end ??= '';
      const taken = Math.min(this.#left, to - at);
      if (this.end !== undefined) this.end += bytes.toString('latin1', at, at + taken);
      this.#left -= taken;
      at += taken;
      if (this.#left > 0) return;
      if (this.end === undefined) this.messages += 1;
      this.#headBytes = 0;
    }
  }

  #takeHead(byte: number): void {
    if (this.#headBytes === 0) this.#flags = byte;
    // The first byte is no part of the length.
    this.#left = this.#headBytes === 0 ? 0 : this.#left * 256 + byte;
    this.#headBytes += 1;
  }

  /** Whether the bytes ended at the end of a message. */
  get isComplete(): boolean {
    return this.#headBytes === 0;
  }
}
