import { type IncomingHttpHeaders, performServerHandshake, type ServerHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';

import { Code } from '@connectrpc/connect';
import type { Timers } from '../../core/ports.ts';
import { encodeStatus } from '../errors/details.ts';
import { callError, refusal } from '../errors/status.ts';
import { isWatch } from '../health/watch-places.ts';
import type { CertificateFault } from './certificate-fault.ts';

/** How long a refused connection may go on, in milliseconds: who comes again at once, comes so often at most. */
const LIFETIME_MS = 10_000;

/** How many of its calls are told why. */
const MOST_CALLS = 100;

/** What a connection may hold that is refused. */
const BOUNDS = { maxSessionMemory: 1, maxHeaderListPairs: 64, settings: { maxConcurrentStreams: 10 } } as const;

type Clock = Pick<Timers, 'setTimer' | 'clearTimer'>;

/**
 * Tells every call of an HTTP/2 connection why its client is refused, with UNAUTHENTICATED, and ends the connection after a while. A
 * connection that was just closed would say nothing, and gRPC's clients would come again at once, some hundred times a second.
 */
export function refuseSession(socket: TLSSocket, fault: CertificateFault, runtime: Clock): void {
  const session = performServerHandshake(socket, BOUNDS);
  const timer = runtime.setTimer(LIFETIME_MS, () => session.destroy());
  session.once('close', () => runtime.clearTimer(timer));
  session.on('error', () => undefined);
  const answer = answersOf(fault);
  let calls = 0;
  session.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => undefined);
    calls += 1;
    if (calls > MOST_CALLS) return session.destroy();
    const type = headers['content-type'] ?? '';
    if (type.startsWith('application/grpc')) {
      const refusedWith = isWatch(headers[':path'] ?? '') ? answer.watch : answer.grpc;
      stream.respond({ ':status': 200, 'content-type': type, ...refusedWith }, { endStream: true });
    } else {
      stream.respond({ ':status': 403, ...answer.head });
      stream.end(answer.body);
    }
    stream.resume();
  });
}

/** Tells the client of an HTTP/1.1 connection why it is refused, whatever it asks, and ends the connection. */
export function refuseHttp1(socket: TLSSocket, fault: CertificateFault, runtime: Clock): void {
  const timer = runtime.setTimer(LIFETIME_MS, () => socket.destroy());
  socket.once('close', () => runtime.clearTimer(timer));
  socket.on('error', () => undefined);
  const { head, body } = answersOf(fault);
  const lines = Object.entries({ ...head, connection: 'close' }).map(([name, value]) => `${name}: ${value}`);
  // What is not read would reset the connection before the client has read why.
  socket.resume();
  socket.end(`HTTP/1.1 403 Forbidden\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
}

function answersOf({ reason, why }: CertificateFault) {
  const failure = refusal({ class: 'local_refusal', reason, message: `${why}.` });
  const { code, rawMessage, details } = callError(failure, { requestId: '', random: () => 0 });
  // As Connect writes an error.
  const body = `${JSON.stringify({ code: 'unauthenticated', message: rawMessage })}\n`;
  return {
    watch: { 'grpc-status': String(Code.Unimplemented), 'grpc-message': rawMessage },
    grpc: {
      'grpc-status': String(code),
      'grpc-message': rawMessage,
      'grpc-status-details-bin': Buffer.from(encodeStatus(code, rawMessage, details)).toString('base64'),
    },
    head: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
    },
    body,
  };
}
