import { Code } from '@connectrpc/connect';
import { MAX_MESSAGE_BYTES } from '../port/limits.ts';
import { type CallStatus, plainStatus } from './call-status.ts';

/** Bytes before each message: a flag for compression, and the length (gRPC over HTTP2, "Length-Prefixed-Message"). */
export const PREFIX_BYTES = 5;

const LENGTH_AT = 1;
const COMPRESSED = 1;

/**
 * Checks that a request is one message and nothing else, in whatever pieces it comes. Unary and streaming methods ask the same, so
 * that both answer a framing fault alike, whoever reads the message. Once a fault was found, it is to be asked no more.
 */
export class RequestFraming {
  readonly #namesEncoding: boolean;
  readonly #prefix = Buffer.allocUnsafe(PREFIX_BYTES);
  #size = 0;
  /** Bytes of the message, as its prefix says. */
  #length: number | undefined;

  /** @param namesEncoding whether the request says how it is compressed */
  constructor(namesEncoding: boolean) {
    this.#namesEncoding = namesEncoding;
  }

  /** Takes a piece of the request and returns the status that ends the call where it shows a fault. */
  read(chunk: Buffer): CallStatus | undefined {
    if (this.#length === undefined) chunk.copy(this.#prefix, this.#size, 0, PREFIX_BYTES - this.#size);
    this.#size += chunk.length;
    if (this.#length === undefined) {
      if (this.#size < PREFIX_BYTES) return undefined;
      this.#length = this.#prefix.readUInt32BE(LENGTH_AT);
      const flag = this.#prefix.readUInt8(0);
      if (flag > COMPRESSED) return plainStatus(Code.Internal, 'The message of the request has an unknown flag.');
      if (flag === COMPRESSED && !this.#namesEncoding) {
        return plainStatus(Code.Internal, 'The request is compressed, but names no grpc-encoding.');
      }
      if (this.#length > MAX_MESSAGE_BYTES) {
        return plainStatus(Code.ResourceExhausted, `The request is larger than ${MAX_MESSAGE_BYTES} bytes.`);
      }
    }
    return this.#size > PREFIX_BYTES + this.#length
      ? plainStatus(Code.Unimplemented, 'The request has more than one message.')
      : undefined;
  }

  /** Says that the request has come to its end, and returns the status that ends the call where it is not whole. */
  end(): CallStatus | undefined {
    if (this.#size === 0) return plainStatus(Code.Unimplemented, 'The request has no message.');
    return this.#size === PREFIX_BYTES + (this.#length ?? Infinity)
      ? undefined
      : plainStatus(Code.Internal, 'The message of the request is cut off.');
  }
}
