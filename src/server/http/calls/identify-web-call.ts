import { Code, type ConnectError } from '@connectrpc/connect';
import { errorToJsonBytes } from '@connectrpc/connect/protocol-connect';
import type { Caller } from '../../../callers/port/caller.ts';
import type { CredentialFailure, Identified } from '../../../callers/port/credentials.ts';
import { callError, refusal } from '../../errors/status.ts';
import { type Authentication, isRefused, needsCaller, shownBy } from '../../port/authentication.ts';
import { clientCertificateOf, connectionOf } from '../../tls/client-certificate.ts';
import { chooseRequestId, REQUEST_ID_HEADER } from '../../port/limits.ts';
import { type WebRequest, type WebResponse, pathOf } from '../exchange.ts';
import { peerOf } from './peer.ts';

/**
 * Finds out at the headers who makes a call over HTTP, before anything of its body is read, and goes on with it.
 *
 * @param proceed told who calls, undefined where that is not asked for this method, or the error that the call ends with; in the same
 *   turn where nothing had to be reckoned first, and never where the client has left meanwhile
 */
export function identifyWebCall(
  request: WebRequest,
  authentication: Authentication,
  random: () => number,
  proceed: (found: Caller | ConnectError | undefined) => void,
): void {
  if (!needsCaller(pathOf(request), authentication)) return proceed(undefined);
  const settle = (identified: Identified): void => {
    if (!isRefused(identified)) return proceed(identified);
    authentication.refused(identified, peerOf(request));
    proceed(errorOf(identified, request, random));
  };
  const shown = shownBy(request.headers, clientCertificateOf(request), connectionOf(request));
  const identified = authentication.directory.identify(shown);
  if (!(identified instanceof Promise)) return settle(identified);
  void identified.then((found) => {
    if (!isGone(request)) settle(found);
  });
}

/** Over HTTP/2, Node does not destroy the request of a stream that is closed. */
function isGone(request: WebRequest): boolean {
  return 'stream' in request ? request.stream.closed || request.stream.destroyed : request.destroyed;
}

/** Answers a unary call of Connect with an error, as Connect would; false where the call is of another protocol. */
export function answerUnauthenticated(request: WebRequest, response: WebResponse, error: ConnectError): boolean {
  const type = request.headers['content-type'] ?? '';
  const isUnary = request.method === 'GET' || /^application\/(json|proto)(;|$)/.test(type);
  if (!isUnary) return false;
  const isRefused = error.code === Code.Unauthenticated;
  response.statusCode = isRefused ? 401 : 503;
  if (isRefused) response.setHeader('www-authenticate', 'Bearer');
  response.setHeader('content-type', 'application/json');
  response.setHeader('cache-control', 'no-store');
  for (const [name, value] of error.metadata) response.setHeader(name, value);
  response.end(errorToJsonBytes(error, {}));
  return true;
}

function errorOf(failure: CredentialFailure, request: WebRequest, random: () => number): ConnectError {
  const header = request.headers[REQUEST_ID_HEADER];
  const requestId = chooseRequestId('', typeof header === 'string' ? header : null, () => '');
  return callError(refusal(failure), { requestId, random });
}
