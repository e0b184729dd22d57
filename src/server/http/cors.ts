import { cors } from '@connectrpc/connect';
import { REQUEST_ID_HEADER } from '../port/limits.ts';
import { PUSHBACK_HEADER } from '../errors/status.ts';
import { authorityOf, type WebRequest, type WebResponse, respondText } from './exchange.ts';
import { hostName, type KnownHosts } from './known-hosts.ts';

const MAX_AGE_S = '7200';
const ALLOWED_METHODS = cors.allowedMethods.join(', ');
const ALLOWED_HEADERS = [...cors.allowedHeaders, 'Authorization', 'X-Api-Key', 'Traceparent', REQUEST_ID_HEADER].join(
  ', ',
);
const EXPOSED_HEADERS = [...cors.exposedHeaders, REQUEST_ID_HEADER, PUSHBACK_HEADER].join(', ');

const ONLY_OWN = 'Only the page of this address may call it; server.http.allowed_hosts adds to its names.';
const NOBODY = 'Scripts of web pages may not call this address.';
const ONLY_LISTED = 'Scripts of this origin may not call; server.cors_origins lists those that may.';

/** Whom a listener answers. */
export interface BrowserRules {
  readonly hosts: KnownHosts;
  /** Origins whose scripts may call besides the listener's own, `*` for all. Absent: none. */
  readonly origins?: readonly string[];
  /** Whether scripts of the listener's own origin may call where others may not. Default false. */
  readonly hasPage?: boolean;
}

/**
 * Refuses with 400 a Host that is none, and with 403 what a web page may have sent that is not meant to call: a Host that is
 * unknown, an Origin that is neither allowed nor the listener's own. Clients that are no browsers send no Origin. Lets scripts of
 * allowed origins read answers, credentials never, and answers preflights. Tells whether the request is done with.
 */
export function guardFromPages(request: WebRequest, response: WebResponse, rules: BrowserRules): boolean {
  const { hosts, origins, hasPage = origins !== undefined } = rules;
  const host = authorityOf(request) ?? '';
  const name = hostName(host);
  if (name === undefined) {
    respondText(response, 400, 'bad host');
    return true;
  }
  if (!hosts.accepts(name)) {
    respondText(
      response,
      403,
      'This Host is not one of the gateway; server.http.allowed_hosts adds to those that are.',
    );
    return true;
  }
  const { origin } = request.headers;
  const isPreflight = request.method === 'OPTIONS';
  if (origins !== undefined && origins.length > 0) response.setHeader('vary', 'origin');
  if (origin === undefined && !isPreflight) return false;
  const isAllowed = origin !== undefined && (origins?.includes(origin) === true || origins?.includes('*') === true);
  if (!isAllowed && (origin === undefined || !hasPage || !hosts.isOwn(origin, host))) {
    respondText(response, 403, origins !== undefined ? ONLY_LISTED : hasPage ? ONLY_OWN : NOBODY);
    return true;
  }
  response.setHeader('access-control-allow-origin', origin);
  if (!isPreflight) {
    response.setHeader('access-control-expose-headers', EXPOSED_HEADERS);
    return false;
  }
  response.statusCode = 204;
  response.setHeader('access-control-allow-methods', ALLOWED_METHODS);
  response.setHeader('access-control-allow-headers', ALLOWED_HEADERS);
  response.setHeader('access-control-max-age', MAX_AGE_S);
  response.end();
  return true;
}
