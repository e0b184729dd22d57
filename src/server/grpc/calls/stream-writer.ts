import type { Metadata } from '@grpc/grpc-js';
import type { CallStream } from './call-stream.ts';

/** Bytes that may wait in the HTTP/2 stream before the handler is asked for no more; 64 KiB, a flow-control window. */
const HIGH_WATER_BYTES = 64 * 1024;

/** Messages that may wait, whatever their size. */
const HIGH_WATER_MESSAGES = 16;

/** Writes the messages of one stream and holds the handler back while the client does not read; the call cuts off who never does. */
export class GrpcStreamWriter {
  readonly #call: CallStream;
  readonly #headers: () => Metadata;
  #bytes = 0;
  #messages = 0;
  #resolve: (() => void) | undefined;

  /** @param headers what goes before the first message; asked for with it */
  constructor(call: CallStream, headers: () => Metadata) {
    this.#call = call;
    this.#headers = headers;
    call.whenGone(() => this.#release());
  }

  /**
   * Writes a message. Returns undefined where the next may follow at once, otherwise a promise that resolves when it may, or
   * when the client is gone.
   */
  write(message: Buffer): Promise<void> | undefined {
    const { reply } = this.#call;
    this.#bytes += message.byteLength;
    this.#messages += 1;
    reply.write(message, this.#headers, () => this.#sent(message.byteLength));
    if (!this.#isFull || reply.isGone) return undefined;
    return new Promise<void>((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Stops listening to the call. */
  close(): void {
    this.#call.whenGone(undefined);
    this.#release();
  }

  #sent(bytes: number): void {
    this.#bytes -= bytes;
    this.#messages -= 1;
    if (!this.#isFull) this.#release();
  }

  get #isFull(): boolean {
    return this.#bytes > HIGH_WATER_BYTES || this.#messages >= HIGH_WATER_MESSAGES;
  }

  #release(): void {
    const resolve = this.#resolve;
    this.#resolve = undefined;
    resolve?.();
  }
}
