import { FIRST_WINDOW_BYTES, FRAME_FLAG, FRAME_MOST_BYTES, FRAME_TYPE } from './frame-types.ts';
import type { FrameWriter } from './frame-writer.ts';

/** How far the sending of a request has come; of its sender. */
export interface Outgoing {
  readonly id: number;
  sent: number;
  windowBytes: number;
}

/** Sends the same body on every stream of a connection, as far as the windows of the other side allow (RFC 9113, section 6.9). */
export class BodySender {
  readonly #writer: FrameWriter;
  readonly #body: Buffer;
  #heldBack: Outgoing[] = [];
  #windowBytes = FIRST_WINDOW_BYTES;
  #windowBytesOfStream = FIRST_WINDOW_BYTES;

  constructor(writer: FrameWriter, body: Buffer) {
    this.#writer = writer;
    this.#body = body;
  }

  /** Sends the body on a new stream, what does not fit later. */
  start(outgoing: Outgoing): void {
    outgoing.windowBytes = this.#windowBytesOfStream;
    if (!this.#send(outgoing)) this.#heldBack.push(outgoing);
  }

  /** Sends no more of what has ended. */
  stop(outgoing: Outgoing): void {
    if (outgoing.sent < this.#body.length) this.#heldBack = this.#heldBack.filter((other) => other !== outgoing);
  }

  /** The window of every stream is another one, also of those that are open. */
  resize(windowBytes: number): void {
    for (const outgoing of this.#heldBack) outgoing.windowBytes += windowBytes - this.#windowBytesOfStream;
    this.#windowBytesOfStream = windowBytes;
    this.#sendHeldBack();
  }

  /** The window of a stream, or with 0 that of the connection, is wider by so many bytes. */
  widen(id: number, bytes: number): void {
    if (id === 0) this.#windowBytes += bytes;
    else for (const outgoing of this.#heldBack) if (outgoing.id === id) outgoing.windowBytes += bytes;
    this.#sendHeldBack();
  }

  #sendHeldBack(): void {
    if (this.#heldBack.length > 0) this.#heldBack = this.#heldBack.filter((outgoing) => !this.#send(outgoing));
  }

  /** Returns false where something is left. */
  #send(outgoing: Outgoing): boolean {
    const { length } = this.#body;
    while (outgoing.sent < length) {
      const size = Math.min(length - outgoing.sent, this.#windowBytes, outgoing.windowBytes, FRAME_MOST_BYTES);
      if (size <= 0) return false;
      const end = outgoing.sent + size;
      const flags = end === length ? FRAME_FLAG.END_STREAM : 0;
      this.#writer.write(FRAME_TYPE.DATA, flags, outgoing.id, this.#body, outgoing.sent, end);
      outgoing.sent = end;
      outgoing.windowBytes -= size;
      this.#windowBytes -= size;
    }
    return true;
  }
}
