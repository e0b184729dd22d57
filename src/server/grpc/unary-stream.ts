import { constants, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { Code } from '@connectrpc/connect';
import { Metadata } from '@grpc/grpc-js';
import type { Runtime, TimerHandle } from '../../core/ports.ts';
import { MAX_MESSAGE_BYTES } from '../port/limits.ts';
import type { ContextCall } from './call-context.ts';
import { type CallStatus, plainStatus } from './call-status.ts';
import { PREFIX_BYTES, RequestFraming } from './request-framing.ts';
import type { UnaryCall } from './unary-call.ts';

/** What a call needs of time. */
export type UnaryClock = Pick<Runtime, 'wall' | 'setTimer' | 'clearTimer'>;

/** What every response begins with. */
export const HEAD = { ':status': 200, 'content-type': 'application/grpc+proto' } as const;

const NOTHING = Buffer.alloc(0);

/** A plain unary call, read and answered on its HTTP/2 stream. */
export class UnaryStream implements UnaryCall, ContextCall {
  readonly #runtime: UnaryClock;
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #handle: (call: UnaryCall) => void;
  readonly #deadlineAtMs: number;
  /** Runs until the request has come; from then on the context of the handler watches the deadline. */
  #timer: TimerHandle | undefined;
  readonly #framing = new RequestFraming(false);
  #chunks: Buffer[] = [];
  #request: Buffer = NOTHING;
  #isCancelled = false;
  #isAnswered = false;
  #onCancelled: (() => void) | undefined;

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    timeoutMs: number,
    handle: (call: UnaryCall) => void,
    runtime: UnaryClock,
  ) {
    this.#runtime = runtime;
    this.#stream = stream;
    this.#headers = headers;
    this.#handle = handle;
    this.#deadlineAtMs = runtime.wall() + timeoutMs;
  }

  start(): void {
    const stream = this.#stream;
    // After an error comes 'close', which is heard below.
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => this.#read(chunk));
    stream.on('end', () => this.#begin());
    stream.on('close', () => this.#cancel());
    const leftMs = this.#deadlineAtMs - this.#runtime.wall();
    if (leftMs === Infinity) return;
    this.#timer = this.#runtime.setTimer(leftMs, () =>
      this.#check(plainStatus(Code.DeadlineExceeded, 'The deadline was reached.')),
    );
  }

  get context(): ContextCall {
    return this;
  }

  get request(): Buffer {
    return this.#request;
  }

  get metadata(): Metadata {
    return Metadata.fromHttp2Headers(this.#headers);
  }

  get cancelled(): boolean {
    return this.#isCancelled;
  }

  getDeadline(): number {
    return this.#deadlineAtMs;
  }

  getPath(): string {
    return this.#headers[':path'] ?? '';
  }

  on(_event: 'cancelled', listener: () => void): void {
    this.#onCancelled = listener;
  }

  off(_event: 'cancelled', listener: () => void): void {
    if (this.#onCancelled === listener) this.#onCancelled = undefined;
  }

  answer(message: Buffer, headers: Metadata, trailers: Metadata | undefined): void {
    if (message.byteLength > MAX_MESSAGE_BYTES) {
      this.fail(plainStatus(Code.ResourceExhausted, 'The response is larger than allowed.'));
      return;
    }
    const framed = Buffer.allocUnsafe(PREFIX_BYTES + message.byteLength);
    framed.writeUInt8(0, 0);
    framed.writeUInt32BE(message.byteLength, 1);
    framed.set(message, PREFIX_BYTES);
    this.#respond(headers, { 'grpc-status': '0', ...trailers?.toHttp2Headers() }, framed);
  }

  fail({ code, details, metadata }: CallStatus, headers?: Metadata): void {
    const message = encodeURI(details.toWellFormed());
    const trailers = { 'grpc-status': String(code), 'grpc-message': message, ...metadata.toHttp2Headers() };
    if (headers !== undefined) this.#respond(headers, trailers);
    else if (this.#claimResponse())
      this.#try(() => this.#stream.respond({ ...HEAD, ...trailers }, { endStream: true }));
  }

  #respond(headers: Metadata, trailers: OutgoingHttpHeaders, framed?: Buffer): void {
    if (!this.#claimResponse()) return;
    const stream = this.#stream;
    stream.on('wantTrailers', () => this.#try(() => stream.sendTrailers(trailers)));
    this.#try(() => {
      stream.respond({ ...HEAD, ...headers.toHttp2Headers() }, { waitForTrailers: true });
      stream.end(framed);
    });
  }

  /** Resets the stream where Node throws, as it does for a header that it cannot send. */
  #try(send: () => void): void {
    try {
      send();
    } catch {
      this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    }
  }

  /** Claims the one response of the call; false where it was given, or where the caller is gone. */
  #claimResponse(): boolean {
    const isFirst = !this.#isAnswered;
    this.#isAnswered = true;
    return isFirst && !this.#stream.destroyed && !this.#stream.closed;
  }

  /** Takes a piece of the request. After a refusal it is dropped, but read: a client that is reset while it sends misses its status. */
  #read(chunk: Buffer): void {
    if (this.#isAnswered) return;
    this.#chunks.push(chunk);
    this.#check(this.#framing.read(chunk));
  }

  #begin(): void {
    // A stream that is reset emits 'end' as well.
    if (this.#isAnswered || this.#stream.closed) return;
    const [only] = this.#chunks;
    const bytes = only !== undefined && this.#chunks.length === 1 ? only : Buffer.concat(this.#chunks);
    this.#release();
    if (this.#check(this.#framing.end())) return;
    this.#request = bytes.subarray(PREFIX_BYTES);
    this.#handle(this);
  }

  /** Ends the call with the status of a fault, where there is one; tells whether there was. */
  #check(fault: CallStatus | undefined): boolean {
    if (fault === undefined) return false;
    this.#release();
    this.fail(fault);
    return true;
  }

  #release(): void {
    if (this.#timer !== undefined) this.#runtime.clearTimer(this.#timer);
    this.#timer = undefined;
    this.#chunks = [];
  }

  #cancel(): void {
    this.#release();
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    this.#isCancelled = true;
    this.#onCancelled?.();
  }
}
