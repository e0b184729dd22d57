import { Code, ConnectError } from '@connectrpc/connect';

const NOT_SENT = 'UNDERSTUDY_NOT_SENT';

/** Codes of Node for a connection that never came about. */
const NEVER_CONNECTED: ReadonlySet<unknown> = new Set([NOT_SENT, 'ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN']);

/** Codes of Node for a connection or a stream that broke. */
const BROKEN = /^(?:ERR_HTTP2_|ERR_STREAM_|ERR_SSL_|ECONN|EPIPE$|ETIMEDOUT$|ENET|EHOST|EADDR)/;

/** How browsers and Node word a request that failed. */
const FETCH_FAILED =
  /^(?:Failed to fetch|fetch failed|Load failed|network error|NetworkError when attempting to fetch)/i;

/** How HTTP/2 says that a server has not looked at a call (RFC 9113, section 8.7). */
const REFUSED = /\bREFUSED_STREAM\b|NGHTTP2_REFUSED_STREAM/;

/** Makes the error of a call that no gateway has seen: UNAVAILABLE. */
export function notSentError(message: string, cause: unknown): ConnectError {
  const marked = Object.assign(new Error('the call was not sent', { cause }), { code: NOT_SENT });
  return new ConnectError(message, Code.Unavailable, undefined, undefined, marked);
}

/** Tells whether no gateway has looked at a call: no connection came about, or the stream was refused. */
export function wasNotSent(error: ConnectError): boolean {
  if (error.details.length > 0) return false;
  if (error.code === Code.Unavailable && chainOf(error).some(({ code }) => NEVER_CONNECTED.has(code))) return true;
  return isRefused(error);
}

/**
 * Gives an error of the connection the code that gRPC has for it, UNAVAILABLE, where Connect says ABORTED, INTERNAL or UNKNOWN.
 * Others stay as they are.
 */
export function asUnavailable(error: ConnectError): ConnectError {
  if (error.details.length > 0 || !(isBroken(error) || isRefused(error) || isOfFetch(error))) return error;
  return new ConnectError(error.rawMessage, Code.Unavailable, error.metadata, undefined, error.cause ?? error);
}

function isBroken(error: ConnectError): boolean {
  if (error.code !== Code.Aborted && error.code !== Code.Internal) return false;
  return chainOf(error).some(({ code }) => typeof code === 'string' && BROKEN.test(code));
}

/** What `fetch` of Chrome, Firefox, Safari and Node says of a connection; that it is a TypeError says nothing. */
function isOfFetch({ code, cause }: ConnectError): boolean {
  return code === Code.Unknown && cause instanceof TypeError && FETCH_FAILED.test(cause.message);
}

function isRefused(error: ConnectError): boolean {
  return chainOf(error).some(({ message, code }) => {
    const isOfHttp2 = code === 'ERR_HTTP2_STREAM_ERROR' || code === Code.Unavailable;
    return isOfHttp2 && REFUSED.test(message);
  });
}

/** The chain of causes, each error once. */
function chainOf(error: Error): { readonly message: string; readonly code: unknown }[] {
  const chain = new Set<Error>();
  for (let cause: unknown = error; cause instanceof Error && !chain.has(cause); cause = cause.cause) chain.add(cause);
  return [...chain].map((cause) => ({ message: cause.message, code: 'code' in cause ? cause.code : undefined }));
}
