import type { IncomingMessage, ServerResponse } from 'node:http';

/** Path of a request without its query. */
export function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] ?? '';
}

/** Whether a request changes nothing: GET or HEAD (RFC 9110, "Safe Methods"). */
export function hasSafeMethod(request: IncomingMessage): boolean {
  return request.method === 'GET' || request.method === 'HEAD';
}

/** Answers with a line of text. */
export function respondText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
  response.end(`${text}\n`);
}

/**
 * Answers `/livez`, always 200, and `/readyz`, 200 or 503. Tells whether the request was one of them.
 */
export function answerProbe(request: IncomingMessage, response: ServerResponse, isReady: () => boolean): boolean {
  const path = pathOf(request);
  if (!hasSafeMethod(request) || (path !== '/livez' && path !== '/readyz')) return false;
  if (path === '/livez' || isReady()) respondText(response, 200, 'ok');
  else respondText(response, 503, 'not ready');
  return true;
}
