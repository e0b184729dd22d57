import type { EventEmitter } from 'node:events';
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { Code } from '@connectrpc/connect';
import type { Server } from '@grpc/grpc-js';
import { grpcTimeoutMs } from '../port/limits.ts';
import { plainStatus } from './call-status.ts';
import type { UnaryCall } from './unary-call.ts';
import { HEAD, type UnaryClock, UnaryStream } from './unary-stream.ts';

const CONTENT_TYPES: ReadonlySet<string | undefined> = new Set(['application/grpc', 'application/grpc+proto']);

/**
 * Takes plain unary calls from a grpc-js server that listens already, and answers them on their HTTP/2 streams: head, message
 * and trailers in one write (`docs/adr/0008-plain-unary-calls-pass-grpc-js-by.md`). Whatever is not plain stays with grpc-js:
 * other content types, compressed requests, unknown paths; and so do all connections. Deadlines that cannot be read are refused.
 *
 * @param handlers by path; must not throw
 */
export function takeUnaryCalls(
  server: Server,
  handlers: ReadonlyMap<string, (call: UnaryCall) => void>,
  runtime: UnaryClock,
): void {
  for (const http2Server of http2ServersOf(server)) {
    const others = http2Server.listeners('stream');
    http2Server.removeAllListeners('stream');
    const take = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, ...rest: unknown[]): void => {
      const timeoutMs = timeoutOf(headers);
      if (timeoutMs === undefined) {
        refuseTimeout(stream);
        return;
      }
      const handle = isPlain(headers) ? handlers.get(headers[':path'] ?? '') : undefined;
      if (handle !== undefined) new UnaryStream(stream, headers, timeoutMs, handle, runtime).start();
      else for (const other of others) Reflect.apply(other, http2Server, [stream, headers, ...rest]);
    };
    http2Server.on('stream', (...opened: Parameters<typeof take>) => {
      try {
        take(...opened);
      } catch (error) {
        // A fault that nobody has caught ends this call alone.
        opened[0].close(constants.NGHTTP2_INTERNAL_ERROR);
        queueMicrotask(() => {
          throw error;
        });
      }
    });
  }
}

/** Ends a call whose deadline cannot be read, of whatever method: grpc-js would take the digits that it finds in it. */
function refuseTimeout(stream: ServerHttp2Stream): void {
  // After an error comes 'close', and nobody waits for it.
  stream.on('error', () => undefined);
  const { code, details } = plainStatus(Code.Internal, 'The grpc-timeout of the request cannot be read.');
  const status = { 'grpc-status': String(code), 'grpc-message': encodeURI(details) };
  stream.respond({ ...HEAD, ...status }, { endStream: true });
  stream.resume();
}

/** grpc-js keeps its HTTP/2 servers to itself (`http2Servers`); a test watches that they are still there. */
export function http2ServersOf(server: Server): readonly EventEmitter[] {
  const servers: unknown = Reflect.get(server, 'http2Servers');
  return servers instanceof Map ? [...servers.keys()] : [];
}

function isPlain(headers: IncomingHttpHeaders): boolean {
  const { ':method': method, 'grpc-encoding': encoding = 'identity', 'content-type': contentType } = headers;
  return method === 'POST' && encoding === 'identity' && CONTENT_TYPES.has(contentType);
}

/** Returns the milliseconds that a call has, without limit where it names none; undefined where they cannot be read. */
function timeoutOf({ 'grpc-timeout': timeout }: IncomingHttpHeaders): number | undefined {
  if (timeout === undefined) return Infinity;
  return typeof timeout === 'string' ? grpcTimeoutMs(timeout) : undefined;
}
