import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import { MessageFrames } from '../../grpc/streams/message-frames.ts';
import type { WebCall } from '../../http/calls/web-call.ts';
import { PIECE_BYTES } from '../../port/limits.ts';

/** One for all answers: what is added is taken before anything else happens. */
const FRAMES = new MessageFrames();

/**
 * Writes the envelopes of one answer: those that come without a pause together, and what is large in pieces. Of a client that is gone,
 * nothing is kept.
 */
export class EnvelopeWriter<Output extends DescMessage> {
  readonly #call: WebCall;
  readonly #header: Headers;
  readonly #addTo: (frames: MessageFrames, message: MessageInitShape<Output>) => void;
  /** What has not been given to the response. */
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #isFlushDue = false;
  #isBegun = false;
  /** Whether the client is behind. */
  #isBehind = false;
  #onRoom: (() => void) | undefined;
  readonly #flushDue = (): void => {
    this.#isFlushDue = false;
    if (!this.#isBehind) this.#flush();
  };

  /**
   * @param header goes out with the first of them
   * @param addTo encodes a message
   */
  constructor(
    call: WebCall,
    header: Headers,
    addTo: (frames: MessageFrames, message: MessageInitShape<Output>) => void,
  ) {
    this.#call = call;
    this.#header = header;
    this.#addTo = addTo;
  }

  /** Whether messages are to wait. Where the client is gone they need not. */
  get isFull(): boolean {
    return this.#isBehind && !this.#call.isGone;
  }

  /**
   * Writes the messages that are there, until the client is behind.
   *
   * @param next returns the next one that is there; undefined for none. What it throws is thrown behind those before it
   * @returns whether it has taken all that were there. Throws where the head or a message cannot be sent
   */
  write(next: () => MessageInitShape<Output> | undefined): boolean {
    try {
      while (!this.isFull) {
        const message = next();
        if (message === undefined) return true;
        this.#begin();
        this.#addTo(FRAMES, message);
        if (this.#waitingBytes + FRAMES.byteLength >= PIECE_BYTES) this.#flush();
      }
      return false;
    } finally {
      if (FRAMES.byteLength > 0) this.#keep();
      if (this.#waitingBytes > 0 && !this.#isFlushDue && !this.#isBehind) {
        this.#isFlushDue = true;
        // Behind all that goes on in promises now.
        process.nextTick(this.#flushDue);
      }
    }
  }

  /** Calls back once when there is room again, or the client is gone. */
  whenRoom(onRoom: () => void): void {
    this.#onRoom = onRoom;
  }

  /** Ends the answer with an envelope. Rejects where the head cannot be sent. */
  async end(flags: number, data: Uint8Array): Promise<void> {
    this.#begin();
    while (this.isFull) await new Promise<void>((resolve) => this.whenRoom(resolve));
    FRAMES.addEncoded(data, flags);
    const bytes = this.#take();
    if (!this.#call.isGone) this.#call.end(bytes);
  }

  #begin(): void {
    if (this.#isBegun || this.#call.isGone) return;
    this.#call.begin(200, this.#header);
    this.#isBegun = true;
  }

  #keep(): void {
    const { bytes } = FRAMES.take();
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.byteLength;
  }

  #take(): Buffer {
    if (FRAMES.byteLength > 0) this.#keep();
    const [only] = this.#waiting;
    const bytes =
      this.#waiting.length === 1 && only !== undefined ? only : Buffer.concat(this.#waiting, this.#waitingBytes);
    this.#waiting = [];
    this.#waitingBytes = 0;
    return bytes;
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
    const onRoom = this.#onRoom;
    this.#onRoom = undefined;
    onRoom?.();
  }

  #wasRead(): void {
    this.#isBehind = false;
    this.#flush();
  }
}
