import type { Metadata } from '@grpc/grpc-js';
import type { Runtime, TimerHandle } from '../../../core/ports.ts';
import type { CallStream } from './call-stream.ts';

/** Bytes that may wait in the HTTP/2 stream before the handler is asked for no more; 64 KiB, a flow-control window. */
const HIGH_WATER_BYTES = 64 * 1024;

/** Messages that may wait, whatever their size. */
const HIGH_WATER_MESSAGES = 16;

/**
 * Writes the messages of one stream and holds the handler back while the client does not read. A client that reads nothing for
 * `stallMs` is cut off.
 */
export class GrpcStreamWriter {
  readonly #call: CallStream;
  readonly #headers: () => Metadata;
  readonly #runtime: Pick<Runtime, 'setTimer' | 'clearTimer'>;
  readonly #stallMs: number;
  #bytes = 0;
  #messages = 0;
  #resolve: (() => void) | undefined;
  #stallTimer: TimerHandle | undefined;

  /** @param headers what goes before the first message; asked for with it */
  constructor(
    call: CallStream,
    headers: () => Metadata,
    runtime: Pick<Runtime, 'setTimer' | 'clearTimer'>,
    stallMs: number,
  ) {
    this.#call = call;
    this.#headers = headers;
    this.#runtime = runtime;
    this.#stallMs = stallMs;
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
    this.#restartStallTimer();
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
    if (this.#resolve === undefined) return;
    if (this.#isFull) this.#restartStallTimer();
    else this.#release();
  }

  get #isFull(): boolean {
    return this.#bytes > HIGH_WATER_BYTES || this.#messages >= HIGH_WATER_MESSAGES;
  }

  #restartStallTimer(): void {
    this.#clearStallTimer();
    this.#stallTimer = this.#runtime.setTimer(this.#stallMs, () => this.#call.reply.reset());
  }

  #clearStallTimer(): void {
    if (this.#stallTimer !== undefined) this.#runtime.clearTimer(this.#stallTimer);
    this.#stallTimer = undefined;
  }

  #release(): void {
    this.#clearStallTimer();
    const resolve = this.#resolve;
    this.#resolve = undefined;
    resolve?.();
  }
}
