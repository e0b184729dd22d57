import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import type { Metadata } from '@grpc/grpc-js';
import type { Frames } from '../calls/call-reply.ts';
import type { CallStream } from '../calls/call-stream.ts';
import { joinFrames, MessageFrames } from './message-frames.ts';

/** Bytes that may wait in the HTTP/2 stream before the handler is asked for no more; 64 KiB, a flow-control window. */
const HIGH_WATER_BYTES = 64 * 1024;

/** Writes that may wait, whatever their size. */
const HIGH_WATER_WRITES = 16;

/** One for all streams: what is added is taken before anything is awaited. */
const FRAMES = new MessageFrames();

/**
 * Writes the messages of one stream and holds the handler back while the client does not read; the call cuts off who never does. What
 * comes in one turn goes out in one write, behind all that follows from it without waiting.
 */
export class GrpcStreamWriter<Schema extends DescMessage> {
  readonly #call: CallStream;
  readonly #schema: Schema;
  readonly #headers: () => Metadata;
  readonly #flushed = (): void => this.flush();
  #pending: Frames | undefined;
  #bytes = 0;
  #writes = 0;
  #resolve: (() => void) | undefined;

  /** @param headers what goes before the first message; asked for with it */
  constructor(call: CallStream, schema: Schema, headers: () => Metadata) {
    this.#call = call;
    this.#schema = schema;
    this.#headers = headers;
    call.whenGone(() => this.#release());
  }

  /**
   * Writes a message, and those that are there behind it until there are too many. Returns undefined where the next may follow at once,
   * otherwise a promise that resolves when it may, or when the client is gone.
   *
   * @param more returns the next one that is there; undefined for none
   */
  write(first: MessageInitShape<Schema>, more: () => MessageInitShape<Schema> | undefined): Promise<void> | undefined {
    try {
      for (let message: typeof first | undefined = first; message !== undefined;) {
        FRAMES.add(this.#schema, message);
        message = this.#bytes + FRAMES.byteLength > HIGH_WATER_BYTES ? undefined : more();
      }
    } finally {
      if (FRAMES.byteLength > 0) this.#hold(FRAMES.take());
    }
    if (!this.#isFull) return undefined;
    this.flush();
    if (!this.#isFull || this.#call.reply.isGone) return undefined;
    return new Promise<void>((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Writes at once what waits for the end of the turn. */
  flush(): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    this.#pending = undefined;
    this.#writes += 1;
    this.#call.reply.write(pending, this.#headers, () => this.#sent(pending.bytes.byteLength));
  }

  /** Stops listening to the call. */
  close(): void {
    this.#call.whenGone(undefined);
    this.#release();
  }

  #hold(frames: Frames): void {
    this.#bytes += frames.bytes.byteLength;
    const pending = this.#pending;
    // Behind all promises that are settled by now, and what follows from them.
    if (pending === undefined) process.nextTick(this.#flushed);
    this.#pending = pending === undefined ? frames : joinFrames(pending, frames);
  }

  #sent(bytes: number): void {
    this.#bytes -= bytes;
    this.#writes -= 1;
    if (!this.#isFull) this.#release();
  }

  get #isFull(): boolean {
    return this.#bytes > HIGH_WATER_BYTES || this.#writes >= HIGH_WATER_WRITES;
  }

  #release(): void {
    const resolve = this.#resolve;
    this.#resolve = undefined;
    resolve?.();
  }
}
