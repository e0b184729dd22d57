import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import type { Frames } from '../calls/call-reply.ts';
import { encodeMessage } from '../calls/encode-message.ts';
import { PREFIX_BYTES } from '../calls/message-reader.ts';
import { isPieceEvent, pieceEventRoom, writePieceEvent } from './piece-event.ts';

/** Bytes that are kept to write in; who needs more has them for that time alone. */
const KEPT_BYTES = 64 * 1024;

/**
 * Puts messages into frames of gRPC, one behind the other; the envelopes of Connect and gRPC-Web have the same form. Pieces of an answer, of
 * which a stream has hundreds, are written straight into their place; a test holds them to what the library writes
 * (`docs/adr/0043-what-a-turn-brings-leaves-in-one-write.md`).
 */
export class MessageFrames {
  #room = Buffer.allocUnsafeSlow(KEPT_BYTES);
  #length = 0;
  #messages = 0;

  /** How many bytes there are. */
  get byteLength(): number {
    return this.#length;
  }

  /** Adds a message. Throws where it cannot be encoded; then nothing is added. */
  add<Schema extends DescMessage>(schema: Schema, message: MessageInitShape<Schema>): void {
    const from = this.#length + PREFIX_BYTES;
    if (!isPieceEvent(message)) {
      this.addEncoded(encodeMessage(schema, message));
      return;
    }
    this.#makeRoom(from + pieceEventRoom(message));
    this.#close(0, from, writePieceEvent(message, this.#room, from));
  }

  /**
   * Adds a message that is encoded already.
   *
   * @param flags what its prefix says of it
   */
  addEncoded(bytes: Uint8Array, flags = 0): void {
    const from = this.#length + PREFIX_BYTES;
    this.#makeRoom(from + bytes.byteLength);
    this.#room.set(bytes, from);
    this.#close(flags, from, from + bytes.byteLength);
  }

  /** Adds a message that is a text. */
  addText(text: string): void {
    const from = this.#length + PREFIX_BYTES;
    this.#makeRoom(from + 3 * text.length);
    this.#close(0, from, from + this.#room.write(text, from));
  }

  #close(flags: number, from: number, end: number): void {
    this.#room[this.#length] = flags;
    this.#room.writeUInt32BE(end - from, this.#length + 1);
    this.#length = end;
    this.#messages += 1;
  }

  /** Returns what was added, in bytes of its own, and begins anew. */
  take(): Frames {
    const isLarge = this.#room.byteLength > KEPT_BYTES;
    // What is large and mostly full is not copied once more.
    const bytes = this.#room.subarray(0, this.#length);
    const isGivenAway = isLarge && 2 * this.#length >= this.#room.byteLength;
    const frames = { bytes: isGivenAway ? bytes : Buffer.from(bytes), messages: this.#messages };
    if (isLarge) this.#room = Buffer.allocUnsafeSlow(KEPT_BYTES);
    this.#length = 0;
    this.#messages = 0;
    return frames;
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#room.byteLength) return;
    const larger = Buffer.allocUnsafeSlow(this.#length === 0 ? bytes : 2 * bytes);
    this.#room.copy(larger, 0, 0, this.#length);
    this.#room = larger;
  }
}
