import type { ServerHttp2Stream } from 'node:http2';
import { PIECE_BYTES } from '../../port/limits.ts';

/**
 * Largest piece, in bytes; before that, a quarter of what has left of the same text. Each piece costs a turn of the event loop, and whoever
 * reads so slowly that larger ones matter does not read a long answer in time.
 */
const LARGEST_PIECE = 64 * 1024;

/** Bytes that wait for those before them. */
interface Waiting {
  readonly bytes: Buffer;
  readonly sent: () => void;
}

/**
 * Writes to an HTTP/2 stream, what is large in pieces of which each waits for the one before it: Node says of a write only that all
 * of it has left, and of a session what all of its streams have sent together.
 */
export class PieceWriter {
  readonly #stream: ServerHttp2Stream;
  readonly #waiting: Waiting[] = [];
  /** How much of the first one that waits has been written. */
  #offset = 0;
  #sentBytes = 0;
  #takenBytes = 0;
  #isEnding = false;

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
  }

  /** How many bytes have left; it stands still while the caller does not read. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** How many bytes have been given to it and have not left. */
  get unsentBytes(): number {
    return this.#takenBytes - this.#sentBytes;
  }

  /**
   * Writes bytes behind those before them.
   *
   * @param sent called when they have left, or cannot any more
   */
  write(bytes: Buffer, sent: () => void): void {
    this.#takenBytes += bytes.byteLength;
    if (this.#waiting.length === 0 && bytes.byteLength <= PIECE_BYTES) {
      this.#stream.write(bytes, () => {
        this.#sentBytes += bytes.byteLength;
        sent();
      });
      return;
    }
    this.#waiting.push({ bytes, sent });
    if (this.#waiting.length === 1) this.#writeNext();
  }

  /** Ends the stream behind what was written. */
  end(): void {
    this.#isEnding = true;
    if (this.#waiting.length === 0) this.#stream.end();
  }

  #writeNext(): void {
    const [first] = this.#waiting;
    if (first === undefined) {
      if (this.#isEnding) this.#stream.end();
      return;
    }
    const most = Math.min(LARGEST_PIECE, Math.max(PIECE_BYTES, Math.floor(this.#offset / 4)));
    const piece = first.bytes.subarray(this.#offset, this.#offset + most);
    this.#stream.write(piece, (error) => {
      if (error) this.#drop();
      else this.#wrote(first, piece.byteLength);
    });
  }

  #wrote({ bytes, sent }: Waiting, length: number): void {
    this.#sentBytes += length;
    this.#offset += length;
    if (this.#offset < bytes.byteLength) {
      this.#writeNext();
      return;
    }
    this.#offset = 0;
    this.#waiting.shift();
    sent();
    this.#writeNext();
  }

  /** Lets go of what waits when the caller is gone. */
  #drop(): void {
    this.#isEnding = false;
    for (const { sent } of this.#waiting.splice(0)) sent();
  }
}
