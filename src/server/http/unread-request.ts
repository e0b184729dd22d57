import { constants } from 'node:http2';

import type { Runtime } from '../../core/ports.ts';
import { LINGER_MS } from '../port/limits.ts';
import type { DroppedRequests } from '../wire/reading-pace.ts';
import type { WebRequest, WebResponse } from './exchange.ts';

/**
 * Ends a request that was answered before it was read whole, as a malformed or an oversize one is: what still comes within
 * {@link LINGER_MS} is dropped, and then its connection is closed (over HTTP/2 its stream).
 */
export function endUnreadRequest(
  request: WebRequest,
  response: WebResponse,
  runtime: Pick<Runtime, 'setTimer' | 'clearTimer'>,
  dropped: DroppedRequests,
): void {
  // Node takes the socket away from a request that is done with.
  const { socket } = request;
  // Over HTTP/2 a response says that it is finished only when its stream is closed.
  const written = 'stream' in response ? response.stream : response;
  // Before Node looks whether anybody reads the request.
  written.prependOnceListener('finish', () => {
    if (request.complete) return;
    const timer = runtime.setTimer(LINGER_MS, () => {
      if ('stream' in request) request.stream.close(constants.NGHTTP2_NO_ERROR);
      else socket.destroy();
    });
    const done = (): void => runtime.clearTimer(timer);
    request.once('end', done);
    request.once('close', done);
    dropped.drop(request);
  });
}
