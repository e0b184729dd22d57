import { constants } from 'node:http2';
import { Duplex } from 'node:stream';
import type { ServerWritableStream } from '@grpc/grpc-js';
import type { Runtime, TimerHandle } from '../../core/ports.ts';

/** Bytes that may wait in grpc-js and below before the handler is asked for no more; 64 KiB, a flow-control window. */
const HIGH_WATER_BYTES = 64 * 1024;

/** Messages that may wait, whatever their size. */
const HIGH_WATER_MESSAGES = 16;

/**
 * Writes the messages of one stream and holds the handler back while the client does not read. It counts bytes: grpc-js
 * itself counts only messages. A client that reads nothing for `stallMs` is cut off.
 */
export class GrpcStreamWriter {
  readonly #call: ServerWritableStream<unknown, Buffer>;
  readonly #runtime: Pick<Runtime, 'setTimer' | 'clearTimer'>;
  readonly #stallMs: number;
  readonly #onGone = (): void => this.#release();
  #bytes = 0;
  #messages = 0;
  #hasWritten = false;
  #resolve: (() => void) | undefined;
  #stallTimer: TimerHandle | undefined;

  constructor(
    call: ServerWritableStream<unknown, Buffer>,
    runtime: Pick<Runtime, 'setTimer' | 'clearTimer'>,
    stallMs: number,
  ) {
    this.#call = call;
    this.#runtime = runtime;
    this.#stallMs = stallMs;
    call.once('cancelled', this.#onGone);
  }

  get hasWritten(): boolean {
    return this.#hasWritten;
  }

  /**
   * Writes a message. Returns undefined where the next may follow at once, otherwise a promise that resolves when it may, or
   * when the client is gone.
   */
  write(message: Buffer): Promise<void> | undefined {
    this.#hasWritten = true;
    this.#bytes += message.byteLength;
    this.#messages += 1;
    this.#call.write(message, () => {
      this.#bytes -= message.byteLength;
      this.#messages -= 1;
      if (this.#resolve === undefined) return;
      if (this.#isFull) this.#restartStallTimer();
      else this.#release();
    });
    // After 'cancelled' grpc-js calls the callbacks of writes no more.
    if (!this.#isFull || this.#call.cancelled) return undefined;
    this.#restartStallTimer();
    return new Promise<void>((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Stops listening to the call. */
  close(): void {
    this.#call.off('cancelled', this.#onGone);
    this.#release();
  }

  get #isFull(): boolean {
    return this.#bytes > HIGH_WATER_BYTES || this.#messages >= HIGH_WATER_MESSAGES;
  }

  #restartStallTimer(): void {
    this.#clearStallTimer();
    this.#stallTimer = this.#runtime.setTimer(this.#stallMs, () => closeStalledStream(this.#call));
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

/**
 * Resets the HTTP/2 stream of a call whose reader has stalled: a status or an error would wait behind flow control. grpc-js
 * keeps that stream to itself (`call.call.stream`); a test watches that it is still there.
 */
export function closeStalledStream(call: object): void {
  const inner: unknown = Reflect.get(call, 'call');
  const stream: unknown = typeof inner === 'object' && inner !== null ? Reflect.get(inner, 'stream') : undefined;
  if (stream instanceof Duplex && 'close' in stream && typeof stream.close === 'function') {
    stream.close(constants.NGHTTP2_CANCEL);
  }
}
