/** Bytes before each message: a flag for compression, and the length (gRPC over HTTP2, "Length-Prefixed-Message"). */
export const PREFIX_BYTES = 5;

const NOTHING = Buffer.alloc(0);

/**
 * Puts the one message of a request together from the pieces in which it comes. One that comes in one piece is not copied;
 * for others its room is made when its length is known, so that no piece is kept with all that was read beside it.
 */
export class MessageReader {
  #prefix: Buffer = NOTHING;
  #length: number | undefined;
  #message: Buffer = NOTHING;
  #size = 0;

  /** Bytes that have come, prefix included. */
  get received(): number {
    return this.#prefix.length + this.#size;
  }

  /** What has come of the message, all of it where {@link isComplete} says so. */
  get message(): Buffer {
    return this.#message;
  }

  get isComplete(): boolean {
    return this.#size === this.#length;
  }

  /** Whether there is more than one message. */
  get hasMore(): boolean {
    return this.#length !== undefined && this.#size > this.#length;
  }

  /** Whether the message says that it is compressed. */
  get isCompressed(): boolean {
    return this.#prefix[0] !== 0;
  }

  /**
   * Takes a piece.
   *
   * @param accept asked once, as soon as the length of the message is known; false to take nothing of it
   */
  push(chunk: Buffer, accept: (length: number) => boolean): void {
    if (this.#length !== undefined) {
      this.#append(chunk);
      return;
    }
    const start = this.#prefix.length === 0 ? chunk : Buffer.concat([this.#prefix, chunk]);
    // A copy, so that it does not keep what was read with it.
    this.#prefix = Buffer.from(start.subarray(0, PREFIX_BYTES));
    if (start.length < PREFIX_BYTES) return;
    const length = start.readUInt32BE(1);
    if (!accept(length)) return;
    this.#length = length;
    const rest = start.subarray(PREFIX_BYTES);
    if (rest.length === length) {
      this.#message = rest;
      this.#size = length;
    } else {
      this.#message = rest.length > length ? NOTHING : Buffer.allocUnsafeSlow(length);
      this.#append(rest);
    }
  }

  /** Drops what has come. */
  clear(): void {
    this.#message = NOTHING;
  }

  #append(chunk: Buffer): void {
    if (this.#size + chunk.length <= this.#message.length) this.#message.set(chunk, this.#size);
    this.#size += chunk.length;
  }
}
