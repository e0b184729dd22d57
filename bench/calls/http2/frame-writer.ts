import type { Writable } from 'node:stream';

import { FRAME_HEAD_BYTES } from './frame-types.ts';

/** Frames are put together here; larger than any of them. */
const BUFFER_BYTES = 64 * 1024;

/**
 * Writes HTTP/2 frames to a socket: those of a turn of the event loop in one write, from one buffer that is used again. Where the socket is
 * destroyed they are dropped.
 */
export class FrameWriter {
  readonly #socket: Writable;
  #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #size = 0;
  #isFlushing = false;

  constructor(socket: Writable) {
    this.#socket = socket;
  }

  /** Writes a frame whose payload is the bytes from `from` to `to`. */
  write(type: number, flags: number, stream: number, bytes: Buffer, from = 0, to = bytes.length): void {
    if (this.#size + FRAME_HEAD_BYTES + to - from > BUFFER_BYTES) this.#flush();
    const at = this.#size;
    this.#buffer.writeUIntBE(to - from, at, 3);
    this.#buffer.writeUInt8(type, at + 3);
    this.#buffer.writeUInt8(flags, at + 4);
    this.#buffer.writeUInt32BE(stream, at + 5);
    this.#size = at + FRAME_HEAD_BYTES + bytes.copy(this.#buffer, at + FRAME_HEAD_BYTES, from, to);
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    setImmediate(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    const size = this.#size;
    this.#size = 0;
    if (size === 0 || this.#socket.destroyed) return;
    this.#socket.write(this.#buffer.subarray(0, size));
    // What the system has not taken at once is still read from.
    if (this.#socket.writableLength > 0) this.#buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  }
}
