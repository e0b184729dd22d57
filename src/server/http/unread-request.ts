import type { ServerResponse } from 'node:http';
import { constants, type Http2ServerResponse } from 'node:http2';
import type { UniversalServerResponse } from '@connectrpc/connect/protocol';
import type { Runtime } from '../../core/ports.ts';
import { LINGER_MS } from '../port/limits.ts';
import { dropInput } from '../http2/unread-input.ts';
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
    if ('stream' in request) dropInput(request.stream, undefined);
    else dropped.drop(request);
  });
}

/**
 * Lets an answer out at once where its request has not come whole, as an oversize one has not: connect-node would first read
 * 256 KiB of the rest, for as long as the client takes. The connection is half-closed behind the answer, so that what comes
 * meanwhile does not reset it before the client has read the answer, and closed {@link LINGER_MS} later, also where the
 * client never closes its own half.
 */
export function answerEarly(
  answer: UniversalServerResponse,
  request: { readonly complete: boolean },
  response: ServerResponse | Http2ServerResponse,
  runtime: Pick<Runtime, 'setTimer' | 'clearTimer'>,
): UniversalServerResponse {
  // A stream of HTTP/2 ends without its connection.
  if ('stream' in response) return answer;
  if (answer.body === undefined) {
    forgoKeepAlive(request, response, runtime);
    return answer;
  }
  const chunks = answer.body[Symbol.asyncIterator]();
  let isFirst = true;
  // Streams read their request when their first chunk is asked for.
  const nextOfFirst = async (): Promise<IteratorResult<Uint8Array>> => {
    isFirst = false;
    const chunk = await chunks.next();
    forgoKeepAlive(request, response, runtime);
    return chunk;
  };
  const body = {
    next: () => (isFirst ? nextOfFirst() : chunks.next()),
    return: async (): Promise<IteratorResult<Uint8Array>> =>
      (await chunks.return?.()) ?? { done: true, value: undefined },
    throw: async (error: unknown): Promise<IteratorResult<Uint8Array>> =>
      (await chunks.throw?.(error)) ?? { done: true, value: undefined },
  };
  return { ...answer, body: { [Symbol.asyncIterator]: () => body } };
}

function forgoKeepAlive(
  request: { readonly complete: boolean },
  response: ServerResponse,
  runtime: Pick<Runtime, 'setTimer' | 'clearTimer'>,
): void {
  const { socket } = response;
  if (request.complete || socket === null) return;
  response.shouldKeepAlive = false;
  // In place of Node's, which closes the other half as well.
  socket.destroySoon = () => {
    socket.end();
    const timer = runtime.setTimer(LINGER_MS, () => socket.destroy());
    socket.once('close', () => runtime.clearTimer(timer));
  };
}
