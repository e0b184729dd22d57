import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { Code } from '@connectrpc/connect';
import type { Caller } from '../../callers/port/caller.ts';
import type { CredentialFailure, CredentialFault, Identified } from '../../callers/port/credentials.ts';
import { isWatch } from '../health/watch-places.ts';
import { callError, refusal } from '../errors/status.ts';
import { type Authentication, isRefused, needsCaller, shownBy } from '../port/authentication.ts';
import { REQUEST_ID_HEADER } from '../port/limits.ts';
import type { LiveCalls } from '../http/live-calls.ts';
import { clientCertificate } from '../tls/client-certificate.ts';
import { type CallStreamOptions, contextOfUnread } from './calls/call-options.ts';
import { callStatus } from './calls/call-status.ts';
import { grpcCallerKey } from './calls/session-peer.ts';
import { holdInput, readInput } from '../http2/unread-input.ts';
import { refuseStream } from './refuse-stream.ts';

/**
 * Finds out at the headers who makes a call, before anything of its request is read, and goes on with it; or refuses it.
 *
 * @param proceed told who calls, undefined where that is not asked for this method, and how many milliseconds it took to find out;
 *   in the same turn where nothing had to be reckoned first, and never where the caller has left meanwhile
 * @param calls count a call of which is being found out who makes it
 */
export function identifyCall(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  authentication: Authentication,
  options: CallStreamOptions,
  proceed: (caller: Caller | undefined, tookMs: number) => void,
  calls?: LiveCalls,
): void {
  if (!needsCaller(headers[':path'] ?? '', authentication)) return proceed(undefined, 0);
  const { session } = stream;
  const certificate = session === undefined ? undefined : clientCertificate(session);
  const settle = (identified: Identified, tookMs: number): void => {
    if (!isRefused(identified)) return proceed(identified, tookMs);
    authentication.refused(identified, grpcCallerKey(session));
    refuseStream(stream, trailersOf(identified, headers, options), options);
  };
  const identified = authentication.directory.identify(shownBy(headers, certificate, session));
  if (!(identified instanceof Promise)) return settle(identified, 0);
  const ignore = (): void => undefined;
  stream.on('error', ignore);
  holdInput(stream, options.transfers.budget, grpcCallerKey(session));
  const sinceMs = options.runtime.now();
  const endCall = calls?.begin();
  void identified
    .then((found) => {
      readInput(stream);
      if (!stream.destroyed && !stream.closed) settle(found, options.runtime.now() - sinceMs);
    })
    .finally(endCall);
}

/** What those are told who give their request no id: all the same, so that a flood of wrong keys costs little. */
const TOLD = new Map<CredentialFault, OutgoingHttpHeaders>();

function trailersOf(
  failure: CredentialFailure,
  headers: IncomingHttpHeaders,
  options: CallStreamOptions,
): OutgoingHttpHeaders {
  const { credentials, retryAfterMs } = failure;
  const isAlike = retryAfterMs === undefined && headers[REQUEST_ID_HEADER] === undefined;
  const told = isAlike && !isWatch(headers[':path'] ?? '') ? TOLD.get(credentials) : undefined;
  if (told !== undefined) return told;
  const { code, details, metadata } = callStatus(callError(refusal(failure), contextOfUnread(headers, options)));
  const message = { 'grpc-message': encodeURI(details) };
  // Its channel goes on without health checks, and its calls are told why they are refused.
  if (isWatch(headers[':path'] ?? '')) return { 'grpc-status': String(Code.Unimplemented), ...message };
  const trailers = { 'grpc-status': String(code), ...message, ...metadata.toHttp2Headers() };
  if (isAlike) TOLD.set(credentials, trailers);
  return trailers;
}
