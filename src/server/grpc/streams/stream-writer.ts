import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import type { Metadata } from '@grpc/grpc-js';
import type { CallStream } from '../calls/call-stream.ts';
import { MessageFrames } from './message-frames.ts';

/** Bytes that may wait in the HTTP/2 stream before the handler is asked for no more; 64 KiB, a flow-control window. */
const HIGH_WATER_BYTES = 64 * 1024;

/** Writes that may wait, whatever their size. */
const HIGH_WATER_WRITES = 16;

/** One for all streams: what is added is taken before anything else happens. */
const FRAMES = new MessageFrames();

/** Writes the messages of one stream and holds the handler back while the client does not read; the call cuts off who never does. */
export class GrpcStreamWriter<Schema extends DescMessage> {
  readonly #call: CallStream;
  readonly #schema: Schema;
  readonly #headers: () => Metadata;
  #bytes = 0;
  #writes = 0;
  #onRoom: (() => void) | undefined;

  /** @param headers what goes before the first message; asked for with it */
  constructor(call: CallStream, schema: Schema, headers: () => Metadata) {
    this.#call = call;
    this.#schema = schema;
    this.#headers = headers;
    call.whenGone(() => this.#tellRoom());
  }

  /** Whether messages are to wait. Where the client is gone they need not. */
  get isFull(): boolean {
    const isFull = this.#bytes > HIGH_WATER_BYTES || this.#writes >= HIGH_WATER_WRITES;
    return isFull && !this.#call.reply.isGone;
  }

  /**
   * Writes messages in one piece: those that are there until there are too many.
   *
   * @param next returns the next one that is there; undefined for none. What it throws is thrown behind those before it
   * @returns whether it has taken all that were there
   */
  write(next: () => MessageInitShape<Schema> | undefined): boolean {
    try {
      for (let isFull = false; !isFull; isFull = this.#bytes + FRAMES.byteLength > HIGH_WATER_BYTES) {
        const message = next();
        if (message === undefined) return true;
        FRAMES.add(this.#schema, message);
      }
      return false;
    } finally {
      if (FRAMES.byteLength > 0) this.#send();
    }
  }

  /** Calls back once when there is room again, or the client is gone. */
  whenRoom(onRoom: () => void): void {
    this.#onRoom = onRoom;
  }

  /** Stops listening to the call. */
  close(): void {
    this.#call.whenGone(undefined);
    this.#tellRoom();
  }

  #send(): void {
    const frames = FRAMES.take();
    const { byteLength } = frames.bytes;
    this.#bytes += byteLength;
    this.#writes += 1;
    this.#call.reply.write(frames, this.#headers, () => {
      this.#bytes -= byteLength;
      this.#writes -= 1;
      if (!this.isFull) this.#tellRoom();
    });
  }

  #tellRoom(): void {
    const onRoom = this.#onRoom;
    this.#onRoom = undefined;
    onRoom?.();
  }
}
