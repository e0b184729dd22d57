import type { EventEmitter } from 'node:events';
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import { grpcTimeoutMs } from '../port/limits.ts';
import type { CallStreamOptions } from './calls/call-options.ts';
import type { Authentication } from '../port/authentication.ts';
import { CallStream } from './calls/call-stream.ts';
import { boundInput } from '../http2/unread-input.ts';
import { widenWindows } from '../http2/wide-windows.ts';
import { identifyCall } from './identify-call.ts';
import { meterCall } from './meter-call.ts';
import { refuseStream } from './refuse-stream.ts';
import { headersForLibrary } from './calls/needed-headers.ts';
import { grpcCallerKey } from './calls/session-peer.ts';
import type { CallPlaces, TakenMethod } from './calls/taken-method.ts';

/**
 * Takes the calls of our services from a grpc-js server that listens already, and reads and answers them on their HTTP/2 streams
 * (`docs/adr/0008-plain-unary-calls-pass-grpc-js-by.md`). What is no call of gRPC, unknown paths and reflection stay with
 * grpc-js, and so do all connections. Throws where grpc-js keeps its servers elsewhere.
 *
 * @param methods by path; their handlers must not throw
 * @param authentication how callers are known, asked for each call; absent, or undefined, where they are not named
 */
export function takeCalls(
  server: Server,
  methods: ReadonlyMap<string, TakenMethod<CallStream>>,
  options: CallStreamOptions,
  authentication?: () => Authentication | undefined,
): void {
  const servers = http2ServersOf(server);
  if (servers.length === 0) throw new Error('grpc-js has no HTTP/2 server where it is looked for');
  for (const http2Server of servers) {
    const others = http2Server.listeners('stream');
    http2Server.removeAllListeners('stream');
    const take = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, ...rest: unknown[]): void => {
      const method = isCall(headers) ? methods.get(headers[':path'] ?? '') : undefined;
      const asked = authentication?.();
      const identify = (proceed: Parameters<typeof identifyCall>[4]): void => {
        if (asked === undefined) proceed(undefined, 0);
        else identifyCall(stream, headers, asked, options, proceed, method?.calls);
      };
      if (method !== undefined) {
        identify((caller, tookMs) => {
          if (caller !== undefined || asked === undefined) widenWindows(stream.session, options.transfers);
          if (method.places !== undefined && !takePlace(stream, method.places, options)) return;
          const timeoutMs = timeoutOf(headers);
          const leftMs = timeoutMs && Math.max(0, timeoutMs - tookMs);
          // It lives as long as its stream, which holds it.
          const { reply } = new CallStream(stream, headers, leftMs, method, options, caller);
          if (options.meter !== undefined) meterCall(options.meter, headers[':path'] ?? '', reply, options.runtime);
        });
        return;
      }
      identify(() => {
        const needed = headersForLibrary(headers);
        boundInput(stream);
        for (const other of others) Reflect.apply(other, http2Server, [stream, needed, ...rest]);
      });
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

/** Takes a place for as long as the stream lasts; false where there is none, and it is refused before anything is made for it. */
function takePlace(stream: ServerHttp2Stream, places: CallPlaces, options: CallStreamOptions): boolean {
  const leave = places.take(grpcCallerKey(stream.session));
  if (leave !== undefined) stream.once('close', leave);
  else refuseStream(stream, places.refusal, options);
  return leave !== undefined;
}

/** grpc-js keeps its HTTP/2 servers to itself (`http2Servers`); a test watches that they are still there. */
export function http2ServersOf(server: Server): readonly EventEmitter[] {
  const servers: unknown = Reflect.get(server, 'http2Servers');
  return servers instanceof Map ? [...servers.keys()] : [];
}

function isCall({ ':method': method, 'content-type': contentType }: IncomingHttpHeaders): boolean {
  return method === 'POST' && contentType !== undefined && contentType.startsWith('application/grpc');
}

/** Returns the milliseconds that a call has, without limit where it names none; undefined where they cannot be read. */
function timeoutOf({ 'grpc-timeout': timeout }: IncomingHttpHeaders): number | undefined {
  if (timeout === undefined) return Infinity;
  return typeof timeout === 'string' ? grpcTimeoutMs(timeout) : undefined;
}
