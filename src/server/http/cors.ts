import type { IncomingMessage, ServerResponse } from 'node:http';
import { cors } from '@connectrpc/connect';
import { REQUEST_ID_HEADER } from '../port/limits.ts';
import { PUSHBACK_HEADER } from '../errors/status.ts';

const MAX_AGE_S = '7200';
const ALLOWED_METHODS = cors.allowedMethods.join(', ');
const ALLOWED_HEADERS = [...cors.allowedHeaders, REQUEST_ID_HEADER].join(', ');
const EXPOSED_HEADERS = [...cors.exposedHeaders, REQUEST_ID_HEADER, PUSHBACK_HEADER].join(', ');

/**
 * Lets scripts of the given origins in, and no others; credentials never. Answers preflights. Tells whether the request is
 * done with.
 */
export function applyCors(request: IncomingMessage, response: ServerResponse, origins: readonly string[]): boolean {
  const { origin } = request.headers;
  const isPreflight = request.method === 'OPTIONS';
  if (origins.length > 0) response.setHeader('vary', 'origin');
  if (origin === undefined || !(origins.includes(origin) || origins.includes('*'))) {
    if (!isPreflight) return false;
    response.writeHead(403).end();
    return true;
  }
  response.setHeader('access-control-allow-origin', origin);
  if (!isPreflight) {
    response.setHeader('access-control-expose-headers', EXPOSED_HEADERS);
    return false;
  }
  response.writeHead(204, {
    'access-control-allow-methods': ALLOWED_METHODS,
    'access-control-allow-headers': ALLOWED_HEADERS,
    'access-control-max-age': MAX_AGE_S,
  });
  response.end();
  return true;
}
