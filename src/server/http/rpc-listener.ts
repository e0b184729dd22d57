import { type ConnectRouter, createConnectRouter, createContextValues } from '@connectrpc/connect';
import {
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from '@connectrpc/connect-node';
import { clampTimeoutHeaders, CLIENT_STALL_MS, MAX_MESSAGE_BYTES } from '../port/limits.ts';
import { authorityOf, type WebRequest, type WebResponse, pathOf, resetResponse, respondText } from './exchange.ts';
import { JSON_ENCODER } from './json-encoder.ts';
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

/** How Connect reads and writes JSON; the encoder is an option of its serialization, and a test watches that it still is. */
const JSON_OPTIONS = { ignoreUnknownFields: false, textEncoder: JSON_ENCODER };

/** Answers one request. */
export type RpcListener = (request: WebRequest, response: WebResponse) => void;

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
    jsonOptions: JSON_OPTIONS,
    ...(shutdownSignal && { shutdownSignal }),
  });
  routes(router);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  const stallMs = options.clientStallMs ?? CLIENT_STALL_MS;
  return (request, response) => {
    const handle = handlers.get(pathOf(request));
    if (handle === undefined) return respondText(response, 404, 'not found');
    const host = authorityOf(request);
    if (host === undefined || !URL.canParse(request.url ?? '', `http://${host}`))
      return respondText(response, 400, 'bad host');
    clampTimeoutHeaders(request.headers);
    // nginx passes events on as they come only where it is told so.
    if (handle.method.methodKind === 'server_streaming') response.setHeader('x-accel-buffering', 'no');
    const close = (): void => resetResponse(response);
    response.setTimeout(stallMs, () => {
      if (response.writableNeedDrain) close();
    });
    const values = createContextValues().set(CLOSE_STALLED_STREAM, close);
    void (async () => {
      try {
        const universal = universalRequestFromNodeRequest(request, response, undefined, values);
        // A body that is left early must not take the connection with it: the answer has still to go out.
        const body: AsyncIterable<Uint8Array> = request.iterator({ destroyOnReturn: false });
        await universalResponseToNodeResponse(await handle({ ...universal, body }), response);
      } catch {
        // The client is gone, or the answer cannot be written; the handlers have told of whatever else went wrong. Before the head is
        // out, what cannot be written is an error that quotes what the caller sent.
        if (response.headersSent || response.destroyed) close();
        else respondText(response, 400, 'malformed request');
      }
    })();
  };
}
