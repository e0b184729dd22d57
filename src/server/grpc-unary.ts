import type { EventEmitter } from 'node:events';
import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { Code } from '@connectrpc/connect';
import { Metadata, type Server } from '@grpc/grpc-js';
import type { Runtime } from '../core/ports.ts';
import type { ContextCall } from './grpc-context.ts';
import { grpcTimeoutMs, MAX_MESSAGE_BYTES } from './limits.ts';

/** A status as grpc-js takes it; the numbers of its codes are those of Connect's. */
export interface GrpcStatus {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

/** One unary call, whoever reads and writes its frames. */
export interface UnaryCall {
  readonly context: ContextCall;
  /** The message of the request, encoded. */
  readonly request: Buffer;
  /** Ends the call with the encoded message of a response. Does nothing where the caller is gone. */
  answer(message: Buffer, headers: Metadata, trailers: Metadata | undefined): void;
  /** Ends the call with an error; headers commit it at the client. Does nothing where the caller is gone. */
  fail(status: GrpcStatus, headers?: Metadata): void;
}

/** Bytes before each message: a flag for compression, and the length (gRPC over HTTP2, "Length-Prefixed-Message"). */
const PREFIX_BYTES = 5;

const HEAD = { ':status': 200, 'content-type': 'application/grpc+proto' } as const;

const CONTENT_TYPES: ReadonlySet<string | undefined> = new Set(['application/grpc', 'application/grpc+proto']);

/**
 * Takes plain unary calls from a grpc-js server that listens already, and answers them on their HTTP/2 streams: head, message
 * and trailers in one write (`docs/adr/0008-plain-unary-calls-pass-grpc-js-by.md`). Whatever is not plain stays with grpc-js:
 * other content types, compressed requests, deadlines that cannot be read, unknown paths; and so do all connections.
 *
 * @param handlers by path; must not throw
 */
export function takeUnaryCalls(
  server: Server,
  handlers: ReadonlyMap<string, (call: UnaryCall) => void>,
  runtime: Pick<Runtime, 'wall'>,
): void {
  for (const http2Server of http2ServersOf(server)) {
    const others = http2Server.listeners('stream');
    http2Server.removeAllListeners('stream');
    http2Server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, ...rest: unknown[]) => {
      const handle = isPlain(headers) ? handlers.get(headers[':path'] ?? '') : undefined;
      if (handle !== undefined) new UnaryStream(stream, headers, handle, runtime).start();
      else for (const other of others) Reflect.apply(other, http2Server, [stream, headers, ...rest]);
    });
  }
}

/** grpc-js keeps its HTTP/2 servers to itself (`http2Servers`); a test watches that they are still there. */
export function http2ServersOf(server: Server): readonly EventEmitter[] {
  const servers: unknown = Reflect.get(server, 'http2Servers');
  return servers instanceof Map ? [...servers.keys()] : [];
}

function isPlain(headers: IncomingHttpHeaders): boolean {
  const { 'grpc-encoding': encoding = 'identity', 'grpc-timeout': timeout } = headers;
  if (headers[':method'] !== 'POST' || encoding !== 'identity') return false;
  if (!CONTENT_TYPES.has(headers['content-type'])) return false;
  return timeout === undefined || (typeof timeout === 'string' && grpcTimeoutMs(timeout) !== undefined);
}

const NOTHING = Buffer.alloc(0);

/** A unary call on its HTTP/2 stream. */
class UnaryStream implements UnaryCall, ContextCall {
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #handle: (call: UnaryCall) => void;
  readonly #deadlineAtMs: number;
  readonly #chunks: Buffer[] = [];
  #size = 0;
  /** Bytes of the message, as its prefix says. */
  #length: number | undefined;
  #request: Buffer = NOTHING;
  #isCancelled = false;
  #isAnswered = false;
  #onCancelled: (() => void) | undefined;

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    handle: (call: UnaryCall) => void,
    runtime: Pick<Runtime, 'wall'>,
  ) {
    this.#stream = stream;
    this.#headers = headers;
    this.#handle = handle;
    const timeout = headers['grpc-timeout'];
    const timeoutMs = typeof timeout === 'string' ? grpcTimeoutMs(timeout) : undefined;
    this.#deadlineAtMs = timeoutMs === undefined ? Infinity : runtime.wall() + timeoutMs;
  }

  start(): void {
    const stream = this.#stream;
    // What goes wrong on a stream closes it.
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => this.#read(chunk));
    stream.on('end', () => this.#begin());
    stream.on('close', () => this.#cancel());
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

  fail({ code, details, metadata }: GrpcStatus, headers?: Metadata): void {
    const message = encodeURI(details.toWellFormed());
    const trailers = { 'grpc-status': String(code), 'grpc-message': message, ...metadata.toHttp2Headers() };
    if (headers !== undefined) this.#respond(headers, trailers);
    else if (this.#mayRespond()) this.#stream.respond({ ...HEAD, ...trailers }, { endStream: true });
  }

  #respond(headers: Metadata, trailers: OutgoingHttpHeaders, framed?: Buffer): void {
    if (!this.#mayRespond()) return;
    const stream = this.#stream;
    stream.respond({ ...HEAD, ...headers.toHttp2Headers() }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.end(framed);
  }

  #mayRespond(): boolean {
    const isFirst = !this.#isAnswered;
    this.#isAnswered = true;
    return isFirst && !this.#stream.destroyed && !this.#stream.closed;
  }

  /** What comes behind a refusal is read all the same: clients that are reset while they send do not look at their status. */
  #read(chunk: Buffer): void {
    if (this.#isAnswered) return;
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#length === undefined && this.#size >= PREFIX_BYTES) {
      this.#length = Buffer.concat(this.#chunks, PREFIX_BYTES).readUInt32BE(1);
    }
    if (Math.max(this.#length ?? 0, this.#size - PREFIX_BYTES) <= MAX_MESSAGE_BYTES) return;
    this.#refuse(Code.ResourceExhausted, `The request is larger than ${MAX_MESSAGE_BYTES} bytes.`);
  }

  #begin(): void {
    if (this.#isAnswered) return;
    const [only] = this.#chunks;
    const bytes = only !== undefined && this.#chunks.length === 1 ? only : Buffer.concat(this.#chunks);
    if (this.#size !== PREFIX_BYTES + (this.#length ?? Infinity)) {
      this.#refuse(Code.Internal, 'The request is not one whole message.');
    } else if (bytes[0] !== 0) {
      this.#refuse(Code.Internal, 'The request is compressed, but names no grpc-encoding.');
    } else {
      this.#request = bytes.subarray(PREFIX_BYTES);
      this.#handle(this);
    }
  }

  #refuse(code: Code, details: string): void {
    this.fail(plainStatus(code, details));
  }

  #cancel(): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    this.#isCancelled = true;
    this.#onCancelled?.();
  }
}

function plainStatus(code: Code, details: string): GrpcStatus {
  return { code, details, metadata: new Metadata() };
}
