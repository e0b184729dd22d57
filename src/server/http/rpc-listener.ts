import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ConnectRouter, createConnectRouter, createContextValues } from '@connectrpc/connect';
import {
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from '@connectrpc/connect-node';
import { clampTimeoutHeaders, CLIENT_STALL_MS, MAX_MESSAGE_BYTES } from '../port/limits.ts';
import { answerEarly } from './early-answer.ts';
import { pathOf, respondText } from './probes.ts';
import { CLOSE_STALLED_STREAM } from '../handlers/run-request.ts';

/** Options of a listener. */
export interface RpcListenerOptions {
  /** Adds the services. */
  readonly routes: (router: ConnectRouter) => void;
  /** How long a response may wait for its reader, in milliseconds. Default: {@link CLIENT_STALL_MS}. */
  readonly clientStallMs?: number;
  /** Ends what is under way where it aborts. */
  readonly shutdownSignal?: AbortSignal;
}

/** Replies stay as they are: compressing each message of a stream costs more than it saves. */
const NEVER_COMPRESS_BYTES = 0xffff_ffff;

/** Answers one request. */
export type RpcListener = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Makes the listener for services over Connect and gRPC-Web. In place of `connectNodeAdapter`, which dies of a malformed Host, cannot shorten
 * deadlines, and writes to the console about every stream that a client leaves.
 */
export function createRpcListener(options: RpcListenerOptions): RpcListener {
  const { routes, shutdownSignal } = options;
  const router = createConnectRouter({
    grpc: false,
    readMaxBytes: MAX_MESSAGE_BYTES,
    writeMaxBytes: MAX_MESSAGE_BYTES,
    acceptCompression: [compressionGzip],
    compressMinBytes: NEVER_COMPRESS_BYTES,
    jsonOptions: { ignoreUnknownFields: false },
    ...(shutdownSignal && { shutdownSignal }),
  });
  routes(router);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  const stallMs = options.clientStallMs ?? CLIENT_STALL_MS;
  return (request, response) => {
    const handle = handlers.get(pathOf(request));
    if (handle === undefined) return respondText(response, 404, 'not found');
    const { host } = request.headers;
    if (host === undefined || !URL.canParse(request.url ?? '', `http://${host}`))
      return respondText(response, 400, 'bad host');
    clampTimeoutHeaders(request.headers);
    const close = (): void => void response.destroy();
    response.setTimeout(stallMs, () => {
      if (response.writableNeedDrain) close();
    });
    const values = createContextValues().set(CLOSE_STALLED_STREAM, close);
    void (async () => {
      try {
        const answer = await handle(universalRequestFromNodeRequest(request, response, undefined, values));
        await universalResponseToNodeResponse(answerEarly(answer, request, response), response);
      } catch {
        // The client is gone, or the answer cannot be written any more; the handlers have told of whatever else went wrong.
        close();
      }
    })();
  };
}
