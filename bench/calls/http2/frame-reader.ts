import { FRAME_FLAG, FRAME_HEAD_BYTES, FRAME_MOST_BYTES, FRAME_TYPE } from './frame-types.ts';

/** Where frames go. Bytes are those from `from` to `to`, and may be overwritten when the call is over. */
export interface FrameSink {
  /** A piece of a DATA frame. */
  onData(stream: number, bytes: Buffer, from: number, to: number): void;
  /** A DATA frame was the last of its stream. */
  onDataEnd(stream: number): void;
  /** Any other frame, whole. */
  onFrame(type: number, flags: number, stream: number, bytes: Buffer, from: number, to: number): void;
}

/** Reads HTTP/2 frames out of bytes that come in pieces; copies what is cut off by the end of a piece, and nothing else. */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #head = Buffer.alloc(FRAME_HEAD_BYTES);
  #headBytes = 0;
  /** Of a frame that comes in pieces. */
  readonly #payload = Buffer.alloc(FRAME_MOST_BYTES);
  #payloadBytes = 0;
  #left = 0;
  #type = 0;
  #flags = 0;
  #stream = 0;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Takes the first `size` bytes. Throws where frames are larger than allowed, or padded or prioritized, which no server of the bench does. */
  push(bytes: Buffer, size: number): void {
    for (let at = 0; at < size;) {
      if (this.#headBytes < FRAME_HEAD_BYTES) {
        at = this.#takeHead(bytes, at, size);
        if (this.#headBytes < FRAME_HEAD_BYTES) return;
      }
      const taken = Math.min(this.#left, size - at);
      this.#left -= taken;
      if (this.#type === FRAME_TYPE.DATA) this.#tellData(bytes, at, at + taken);
      else this.#takePayload(bytes, at, at + taken);
      at += taken;
      if (this.#left === 0) this.#headBytes = 0;
    }
  }

  #takeHead(bytes: Buffer, at: number, size: number): number {
    if (this.#headBytes === 0 && size - at >= FRAME_HEAD_BYTES) {
      this.#headBytes = FRAME_HEAD_BYTES;
      this.#readHead(bytes, at);
      return at + FRAME_HEAD_BYTES;
    }
    const end = Math.min(size, at + FRAME_HEAD_BYTES - this.#headBytes);
    this.#headBytes += bytes.copy(this.#head, this.#headBytes, at, end);
    if (this.#headBytes === FRAME_HEAD_BYTES) this.#readHead(this.#head, 0);
    return end;
  }

  #readHead(bytes: Buffer, at: number): void {
    this.#left = bytes.readUIntBE(at, 3);
    this.#type = bytes.readUInt8(at + 3);
    this.#flags = bytes.readUInt8(at + 4);
    this.#stream = bytes.readUInt32BE(at + 5) & 0x7f_ff_ff_ff;
    if (this.#left > FRAME_MOST_BYTES) throw new Error(`a frame has ${this.#left} bytes, which is more than allowed`);
    const hasMore = this.#type === FRAME_TYPE.DATA || this.#type === FRAME_TYPE.HEADERS;
    if (hasMore && (this.#flags & (FRAME_FLAG.PADDED | FRAME_FLAG.PRIORITY)) !== 0)
      throw new Error(`a frame has the flags ${this.#flags}, which are not known here`);
  }

  #tellData(bytes: Buffer, from: number, to: number): void {
    if (to > from) this.#sink.onData(this.#stream, bytes, from, to);
    if (this.#left === 0 && (this.#flags & FRAME_FLAG.END_STREAM) !== 0) this.#sink.onDataEnd(this.#stream);
  }

  #takePayload(bytes: Buffer, from: number, to: number): void {
    if (this.#left === 0 && this.#payloadBytes === 0) {
      this.#sink.onFrame(this.#type, this.#flags, this.#stream, bytes, from, to);
      return;
    }
    this.#payloadBytes += bytes.copy(this.#payload, this.#payloadBytes, from, to);
    if (this.#left > 0) return;
    const size = this.#payloadBytes;
    this.#payloadBytes = 0;
    this.#sink.onFrame(this.#type, this.#flags, this.#stream, this.#payload, 0, size);
  }
}
