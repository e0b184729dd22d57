import { hasSafeMethod, type WebRequest, type WebResponse, pathOf, respondText } from './exchange.ts';

/**
 * Answers `/livez`, always 200, and `/readyz`, 200 or 503. Tells whether the request was one of them.
 */
export function answerProbe(request: WebRequest, response: WebResponse, isReady: () => boolean): boolean {
  const path = pathOf(request);
  if (!hasSafeMethod(request) || (path !== '/livez' && path !== '/readyz')) return false;
  if (path === '/livez' || isReady()) respondText(response, 200, 'ok');
  else respondText(response, 503, 'not ready');
  return true;
}
