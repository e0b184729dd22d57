import type { EventEmitter } from 'node:events';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import { grpcTimeoutMs } from '../port/limits.ts';
import { headersForLibrary } from './needed-headers.ts';
import type { UnaryCall } from './unary-call.ts';
import { type UnaryClock, UnaryStream } from './unary-stream.ts';

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
  runtime: UnaryClock,
): void {
  for (const http2Server of http2ServersOf(server)) {
    const others = http2Server.listeners('stream');
    http2Server.removeAllListeners('stream');
    http2Server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, ...rest: unknown[]) => {
      const timeoutMs = timeoutOf(headers);
      const handle = isPlain(headers) ? handlers.get(headers[':path'] ?? '') : undefined;
      if (handle !== undefined && timeoutMs !== undefined) {
        new UnaryStream(stream, headers, timeoutMs, handle, runtime).start();
        return;
      }
      const needed = headersForLibrary(headers);
      for (const other of others) Reflect.apply(other, http2Server, [stream, needed, ...rest]);
    });
  }
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
