import { ENVELOPE_PREFIX_BYTES } from '../../http/calls/body-framing.ts';
import type { WebCall } from '../../http/calls/web-call.ts';
import { PIECE_BYTES } from '../../port/limits.ts';

/**
 * Writes the envelopes of one answer: those that come without a pause together, and what is large in pieces. Of a client that is gone,
 * nothing is kept.
 */
export class EnvelopeWriter {
  readonly #call: WebCall;
  readonly #header: Headers;
  /** What has not been given to the response. */
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #isFlushDue = false;
  #isBegun = false;
  /** Whether the client is behind. */
  #isBehind = false;
  #read: (() => void) | undefined;

  /** @param header goes out with the first of them */
  constructor(call: WebCall, header: Headers) {
    this.#call = call;
    this.#header = header;
  }

  /**
   * Writes an envelope. Returns undefined where the next may follow at once, otherwise what resolves when it may, or when the client is
   * gone. Throws where the head cannot be sent.
   */
  write(flags: number, data: Uint8Array): Promise<void> | undefined {
    this.#begin();
    this.#add(flags, data);
    if (this.#isBehind) return this.#whenRead();
    if (this.#waitingBytes >= PIECE_BYTES) {
      this.#flush();
    } else if (!this.#isFlushDue) {
      this.#isFlushDue = true;
      // Behind all that goes on in promises now.
      process.nextTick(() => this.#flushDue());
    }
    return this.#isBehind ? this.#whenRead() : undefined;
  }

  /** Ends the answer with an envelope. Rejects where the head cannot be sent. */
  async end(flags: number, data: Uint8Array): Promise<void> {
    this.#begin();
    while (this.#isBehind) await this.#whenRead();
    this.#add(flags, data);
    if (!this.#call.isGone) this.#call.end(this.#take());
  }

  #begin(): void {
    if (this.#isBegun || this.#call.isGone) return;
    this.#call.begin(200, this.#header);
    this.#isBegun = true;
  }

  #add(flags: number, data: Uint8Array): void {
    const prefix = Buffer.allocUnsafe(ENVELOPE_PREFIX_BYTES);
    prefix.writeUInt8(flags, 0);
    prefix.writeUInt32BE(data.byteLength, 1);
    this.#waiting.push(prefix, data);
    this.#waitingBytes += ENVELOPE_PREFIX_BYTES + data.byteLength;
  }

  #take(): Buffer {
    const bytes = Buffer.concat(this.#waiting, this.#waitingBytes);
    this.#waiting = [];
    this.#waitingBytes = 0;
    return bytes;
  }

  #flushDue(): void {
    this.#isFlushDue = false;
    if (!this.#isBehind) this.#flush();
  }

  #flush(): void {
    const bytes = this.#take();
    for (let at = 0; at < bytes.byteLength && !this.#call.isGone; at += PIECE_BYTES) {
      if (this.#call.write(bytes.subarray(at, at + PIECE_BYTES))) continue;
      const rest = bytes.subarray(at + PIECE_BYTES);
      this.#waiting = [rest];
      this.#waitingBytes = rest.byteLength;
      this.#isBehind = true;
      this.#call.whenWritable(() => this.#wasRead());
      return;
    }
    this.#read?.();
    this.#read = undefined;
  }

  #wasRead(): void {
    this.#isBehind = false;
    this.#flush();
  }

  #whenRead(): Promise<void> {
    return new Promise((resolve) => {
      this.#read = resolve;
    });
  }
}
