import { Duplex } from 'node:stream';
import { Code } from '@connectrpc/connect';
import { status as Status, type ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import { MAX_MESSAGE_BYTES } from '../port/limits.ts';
import { type CallStatus, plainStatus } from './call-status.ts';

type InterceptedCall = Parameters<ServerInterceptor>[1];

/** Bytes before each message: a flag for compression, and the length (gRPC over HTTP2, "Length-Prefixed-Message"). */
export const PREFIX_BYTES = 5;

/** The codes of {@link RequestFraming}, as grpc-js names them. */
const GRPC_JS_CODES: ReadonlyMap<number, Status> = new Map([
  [Code.ResourceExhausted, Status.RESOURCE_EXHAUSTED],
  [Code.Unimplemented, Status.UNIMPLEMENTED],
]);

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

/**
 * Ends calls that grpc-js reads with the same status for the same framing fault as those that pass it by: grpc-js itself overlooks
 * unknown flags and what follows a message, and says of half a message that there is none. Methods that stream their requests
 * are left alone. grpc-js calls it once a call, when it has put its own listeners on the HTTP/2 stream; ours come before them.
 */
export const checkFraming: ServerInterceptor = ({ requestStream }, call) => {
  const stream = streamOf(call);
  if (requestStream || stream === undefined) return unwrapped(call);
  const framing = new RequestFraming(namesEncoding(call));
  let isRefused = false;
  const check = (status: ReturnType<RequestFraming['end']>): void => {
    if (status === undefined) return;
    isRefused = true;
    // From here on grpc-js counts the call as over, and neither reads this piece nor calls the handler.
    const code = GRPC_JS_CODES.get(status.code) ?? Status.INTERNAL;
    call.sendStatus({ code, details: status.details, metadata: status.metadata });
  };
  stream.prependListener('data', (chunk: Buffer) => {
    if (!isRefused) check(framing.read(chunk));
  });
  stream.prependListener('end', () => {
    if (!isRefused && !stream.destroyed) check(framing.end());
  });
  return unwrapped(call);
};

/** grpc-js keeps the stream of a call to itself (`stream`); a test watches that it is still there. */
function streamOf(call: InterceptedCall): Duplex | undefined {
  const stream: unknown = Reflect.get(call, 'stream');
  return stream instanceof Duplex ? stream : undefined;
}

/** Whether a request says how it is compressed. grpc-js has taken the header out of the metadata (`incomingEncoding`). */
function namesEncoding(call: InterceptedCall): boolean {
  return Reflect.get(call, 'incomingEncoding') !== 'identity';
}

/** Hands the call back as it is. grpc-js asks for one of its wrappers, but uses of it only what every call has. */
function unwrapped(call: InterceptedCall): ServerInterceptingCall {
  return call as ServerInterceptingCall;
}
