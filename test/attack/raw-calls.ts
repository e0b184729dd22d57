import { constants as http2, connect as connectHttp2 } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';

/** How a call ended, as its caller saw it. */
export interface RawEnd {
  /** HTTP status; 0 where there was none. */
  readonly status: number;
  /** gRPC status, or undefined. */
  readonly grpcStatus: string | undefined;
  /** Bytes of `grpc-status-details-bin`, in base64. */
  readonly details: string | undefined;
  /** Whether the end came before the time was over. */
  readonly inTime: boolean;
  /** Beginning of the body, as text. */
  readonly body: string;
}

/** What a raw call may say besides. */
export interface RawOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Longest wait for the end, in milliseconds. Default: 10,000. */
  readonly withinMs?: number;
}

const SERVICE = '/understudy.v1.LlmService/';
const MOST_BODY = 4_000;
const DEFAULT_WAIT_MS = 10_000;
const NOTHING: RawEnd = { status: 0, grpcStatus: undefined, details: undefined, inTime: false, body: '' };

/** Puts a message into the frame that gRPC, gRPC-Web and Connect share: flags, length, bytes. */
export function framed(message: Uint8Array, flags = 0, length = message.byteLength): Buffer<ArrayBuffer> {
  const frame = Buffer.alloc(5 + message.byteLength);
  frame.writeUInt8(flags, 0);
  frame.writeUInt32BE(length, 1);
  frame.set(message, 5);
  return frame;
}

/** Opens an HTTP/2 connection whose errors and end nobody needs to hear. */
export function openSession(address: string): ClientHttp2Session {
  const session = connectHttp2(`http://${address}`, { maxSessionMemory: 512 });
  session.on('error', () => undefined);
  return session;
}

/** Begins a call on a connection; its body is written by whoever calls. */
export function beginCall(
  session: ClientHttp2Session,
  method: string,
  headers: RawOptions['headers'] = {},
): ClientHttp2Stream {
  const stream = session.request(
    {
      [http2.HTTP2_HEADER_METHOD]: 'POST',
      [http2.HTTP2_HEADER_PATH]: SERVICE + method,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    },
    { endStream: false },
  );
  stream.on('error', () => undefined);
  return stream;
}

/** Calls a method at the gRPC door with a body as it is. Never rejects. */
export function callGrpc(
  session: ClientHttp2Session,
  method: string,
  body: Uint8Array,
  { headers, withinMs = DEFAULT_WAIT_MS }: RawOptions = {},
): Promise<RawEnd> {
  if (session.destroyed || session.closed) return Promise.resolve(NOTHING);
  let stream: ClientHttp2Stream;
  try {
    stream = beginCall(session, method, headers);
  } catch {
    // Node refuses to send some headers.
    return Promise.resolve({ ...NOTHING, inTime: true });
  }
  stream.end(body);
  return endOf(stream, withinMs);
}

/** Waits for the end of a stream, reading all of it. */
export function endOf(stream: ClientHttp2Stream, withinMs: number = DEFAULT_WAIT_MS): Promise<RawEnd> {
  return new Promise((resolve) => {
    let end = NOTHING;
    const look = (headers: IncomingHttpHeaders): void => {
      const { ':status': status = end.status, 'grpc-status': grpcStatus, 'grpc-status-details-bin': details } = headers;
      end = {
        ...end,
        status: Number(status),
        grpcStatus: grpcStatus?.toString() ?? end.grpcStatus,
        details: details?.toString() ?? end.details,
      };
    };
    const timer = setTimeout(() => {
      stream.close(http2.NGHTTP2_CANCEL);
      resolve({ ...end, inTime: false });
    }, withinMs);
    stream.on('response', look);
    stream.on('trailers', look);
    stream.on('data', (chunk: Buffer) => {
      if (end.body.length < MOST_BODY) end = { ...end, body: end.body + chunk.toString('latin1') };
    });
    stream.once('close', () => {
      clearTimeout(timer);
      resolve({ ...end, inTime: true });
    });
    stream.resume();
  });
}

/** Posts a body as it is to the web door, on a connection of its own. Never rejects. */
export function postWeb(
  origin: string,
  method: string,
  body: Uint8Array,
  { headers = {}, withinMs = DEFAULT_WAIT_MS }: RawOptions = {},
): Promise<RawEnd> {
  return new Promise((resolve) => {
    let end = NOTHING;
    const done = (inTime: boolean): void => {
      clearTimeout(timer);
      resolve({ ...end, inTime });
      request.destroy();
    };
    const request = httpRequest(`${origin}${SERVICE}${method}`, {
      method: 'POST',
      agent: false,
      headers: { 'connect-protocol-version': '1', 'content-length': String(body.byteLength), ...headers },
    });
    const timer = setTimeout(() => done(false), withinMs);
    request.on('error', () => done(true));
    request.on('response', (response) => {
      const { 'grpc-status': grpcStatus } = response.headers;
      end = { ...end, status: response.statusCode ?? 0, grpcStatus: grpcStatus?.toString() };
      response.on('data', (chunk: Buffer) => {
        if (end.body.length < MOST_BODY) end = { ...end, body: end.body + chunk.toString('latin1') };
      });
      response.on('error', () => done(true));
      response.on('close', () => done(true));
    });
    request.end(body);
  });
}

/** Sends bytes over TCP; resolves with the beginning of what comes back when the other side closes, or the time is over. */
export function sendBytes(
  address: string,
  bytes: string | Uint8Array,
  withinMs: number = DEFAULT_WAIT_MS,
): Promise<{ readonly text: string; readonly inTime: boolean }> {
  const { hostname, port } = new URL(address.includes('://') ? address : `http://${address}`);
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(Number(port), hostname);
    const done = (inTime: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, inTime });
    };
    const timer = setTimeout(() => done(false), withinMs);
    socket.on('error', () => undefined);
    socket.on('close', () => done(true));
    socket.on('data', (chunk) => {
      if (text.length < MOST_BODY) text += chunk.toString('latin1');
    });
    // The client's half is closed behind the bytes, so that a door that waits for more need not.
    socket.end(bytes);
  });
}
