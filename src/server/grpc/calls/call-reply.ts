import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Metadata } from '@grpc/grpc-js';
import type { BytesHeld } from '../../wire/byte-budget.ts';
import type { CallStatus } from './call-status.ts';
import { PIECE_BYTES } from '../../port/limits.ts';
import { endWithLastWrite, sendTrailersNow } from '../../http2/prompt-trailers.ts';
import { PREFIX_BYTES } from './message-reader.ts';
import { PieceWriter } from './piece-writer.ts';

/** What every answer begins with. */
export const HEAD = { ':status': 200, 'content-type': 'application/grpc+proto' } as const;

/** The same as names and values in turn, which is what Node makes of it in the end. */
const RAW_HEAD = Object.entries(HEAD).flatMap(([name, value]) => [name, String(value)]);

const WITH_TRAILERS = { waitForTrailers: true } as const;

/** Messages of a stream as they go out: each behind its prefix, and how many they are. */
export interface Frames {
  readonly bytes: Buffer;
  readonly messages: number;
}

/** What is sent on the HTTP/2 stream of one call: one end, and before it, for streams, any number of messages. */
export class CallReply {
  readonly #stream: ServerHttp2Stream;
  readonly #held: BytesHeld;
  readonly #more: (() => OutgoingHttpHeaders) | undefined;
  /** Made for long answers and for streams alone. */
  #pieceWriter: PieceWriter | undefined;
  #isEnded = false;
  #isWhole = false;
  #trailers: OutgoingHttpHeaders = {};
  /** Number of its gRPC status; undefined until it has one. */
  status: number | undefined;
  /** Bytes of the message of the request, as it was on the wire. */
  requestBytes = 0;
  /** Bytes of the messages that were given to it. */
  messageBytes = 0;
  /** Hears once that the stream is closed. */
  onStreamClosed: (() => void) | undefined;

  /** @param more trailers of every end, whatever it is */
  constructor(stream: ServerHttp2Stream, held: BytesHeld, more?: () => OutgoingHttpHeaders) {
    this.#stream = stream;
    this.#held = held;
    this.#more = more;
  }

  /** Whether the call has been given its end, though it may not have been read. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** How many bytes of long answers and of streams have left; they stand still while the caller does not read. */
  get sentBytes(): number {
    return this.#pieceWriter?.sentBytes ?? 0;
  }

  /** Whether something waits for the caller to read it: the end, or a message before it. */
  get isWaiting(): boolean {
    return this.#isEnded || (this.#pieceWriter?.unsentBytes ?? 0) > 0;
  }

  /** Whether it is an answer in one piece, whose size is known from the start, and not a stream. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Whether the caller is gone. */
  get isGone(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  /** Ends a unary call with the encoded message of a response, whole or in pieces. Does nothing where the caller is gone. */
  answer(message: Buffer | readonly Buffer[], headers: Metadata, trailers: Metadata | undefined): void {
    if (!this.#claimEnd()) return;
    this.#isWhole = true;
    this.status = 0;
    this.#sendHead(headers);
    this.#trailers = { 'grpc-status': '0', ...this.#more?.(), ...trailers?.toHttp2Headers() };
    if (!Buffer.isBuffer(message)) {
      this.#answerInPieces(message);
    } else if (message.byteLength > PIECE_BYTES) {
      this.#answerInPieces([message]);
    } else {
      this.#holds(message.byteLength);
      this.#stream.end(framed(message));
    }
  }

  /** Behind their prefix, not copied behind it. */
  #answerInPieces(pieces: readonly Buffer[]): void {
    const byteLength = bytesOf(pieces);
    this.#holds(byteLength);
    this.#pieces.write(prefixOf(byteLength), () => undefined);
    for (const piece of pieces) this.#pieces.write(piece, () => undefined);
    this.#pieces.end();
  }

  /** Ends a call with an error; headers commit it at the client. Does nothing where the caller is gone. */
  fail({ code, details, metadata }: CallStatus, headers?: Metadata): void {
    if (!this.#claimEnd()) return;
    this.status = code;
    const message = encodeURI(details.toWellFormed());
    const status = { 'grpc-status': String(code), 'grpc-message': message };
    const trailers = { ...status, ...this.#more?.(), ...metadata.toHttp2Headers() };
    if (headers !== undefined && !this.#stream.headersSent) this.#sendHead(headers);
    if (this.#stream.headersSent) {
      this.#trailers = trailers;
      this.#endPieces();
    } else {
      this.#try(() => this.#stream.respond({ ...HEAD, ...trailers }, { endStream: true }));
    }
  }

  /**
   * Writes messages of a stream; the first ones come with the headers.
   *
   * @param sent called when they have left, or cannot any more; never where the caller is gone already
   */
  write({ bytes, messages }: Frames, headers: () => Metadata, sent: () => void): void {
    if (this.isGone) return;
    if (!this.#stream.headersSent) this.#sendHead(headers());
    const messageBytes = bytes.byteLength - messages * PREFIX_BYTES;
    this.#holds(messageBytes);
    this.#pieces.write(bytes, () => {
      this.#held.answer(-messageBytes);
      sent();
    });
  }

  /** Ends a call of many messages well. Does nothing where the caller is gone. */
  end(headers: () => Metadata, trailers: Metadata | undefined): void {
    if (!this.#claimEnd()) return;
    this.status = 0;
    if (!this.#stream.headersSent) this.#sendHead(headers());
    this.#trailers = { 'grpc-status': '0', ...this.#more?.(), ...trailers?.toHttp2Headers() };
    this.#endPieces();
  }

  /** Sends the trailers of its end, for which the stream has asked. */
  sendTrailers(): void {
    this.#try(() => sendTrailersNow(this.#stream, this.#trailers));
  }

  /** Says that the stream is closed. Tells whether the call was not over before: then its caller has left it. */
  streamClosed(): boolean {
    this.onStreamClosed?.();
    return this.close();
  }

  /** Says that the call is over, whatever was to be sent. Tells whether it was not before. */
  close(): boolean {
    const wasOpen = !this.#isEnded;
    this.#isEnded = true;
    return wasOpen;
  }

  /** Cuts the call off: a status would wait behind what is not read. */
  reset(): void {
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  get #pieces(): PieceWriter {
    this.#pieceWriter ??= new PieceWriter(this.#stream);
    return this.#pieceWriter;
  }

  #holds(bytes: number): void {
    this.messageBytes += bytes;
    this.#held.answer(bytes);
  }

  #endPieces(): void {
    if (this.#pieceWriter === undefined) this.#stream.end();
    else this.#pieceWriter.end();
  }

  #sendHead(headers: Metadata): void {
    const head = [...RAW_HEAD];
    for (const [name, values] of Object.entries(headers.toHttp2Headers()))
      for (const value of Array.isArray(values) ? values : [values]) head.push(name, String(value));
    this.#try(() => {
      this.#stream.respond(head, WITH_TRAILERS);
      endWithLastWrite(this.#stream);
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

  /** Claims the one end of the call; false where it was given, or where the caller is gone. */
  #claimEnd(): boolean {
    return this.close() && !this.isGone;
  }
}

function framed(message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.byteLength);
  frame.writeUInt8(0, 0);
  frame.writeUInt32BE(message.byteLength, 1);
  frame.set(message, PREFIX_BYTES);
  return frame;
}

function prefixOf(byteLength: number): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(byteLength, 1);
  return prefix;
}

function bytesOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, { byteLength }) => sum + byteLength, 0);
}
