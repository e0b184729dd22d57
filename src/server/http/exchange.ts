import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';

/** A request over HTTP/1.1 or HTTP/2. */
export type WebRequest = IncomingMessage | Http2ServerRequest;

/** The response to it. */
export type WebResponse = ServerResponse | Http2ServerResponse;

/** Returns the Host of a request, `:authority` over HTTP/2; undefined where it names none. */
export function authorityOf(request: WebRequest): string | undefined {
  const host = 'authority' in request ? request.authority : request.headers.host;
  return host === '' ? undefined : host;
}

/** Path of a request without its query. */
export function pathOf(request: WebRequest): string {
  return (request.url ?? '').split('?', 1)[0] ?? '';
}

/** Whether a request changes nothing: GET or HEAD (RFC 9110, "Safe Methods"). */
export function hasSafeMethod(request: WebRequest): boolean {
  return request.method === 'GET' || request.method === 'HEAD';
}

/** Answers with a line of text. */
export function respondText(response: WebResponse, status: number, text: string): void {
  response.statusCode = status;
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.setHeader('cache-control', 'no-store');
  response.end(`${text}\n`);
}

/** Writes a piece of a response; false where its reader is behind, until the response emits `drain`. */
export function writePiece(response: WebResponse, text: string): boolean {
  return 'stream' in response ? response.write(text) : response.write(text);
}

/** Writes bytes of a response; false where its reader is behind, until the response emits `drain`. */
export function writeBytes(response: WebResponse, bytes: Uint8Array): boolean {
  return 'stream' in response ? response.write(bytes) : response.write(bytes);
}

/** Ends a response that cannot be completed: the client must not take what it has for the whole. */
export function resetResponse(response: WebResponse): void {
  if ('stream' in response) response.stream.close(constants.NGHTTP2_CANCEL);
  else response.destroy();
}
