import { base64Decode } from '@bufbuild/protobuf/wire';
import { ConnectError, type ConnectRouter, createConnectRouter, createContextValues } from '@connectrpc/connect';
import {
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from '@connectrpc/connect-node';
import type { UniversalHandler } from '@connectrpc/connect/protocol';
import type { Caller } from '../../callers/port/caller.ts';
import { type Authentication, callerShareKey } from '../port/authentication.ts';
import { CALLER } from '../port/caller-key.ts';
import { clampTimeoutHeaders } from '../port/limits.ts';
import { SHARE_KEY } from '../port/share-key.ts';
import { answerUnauthenticated, identifyWebCall } from './identify-web-call.ts';
import { widenWindows } from '../http2/wide-windows.ts';
import { BodyTransfer, type BodyTransferOptions } from './body-transfer.ts';
import { authorityOf, type WebRequest, type WebResponse, pathOf, resetResponse, respondText } from './exchange.ts';
import { JSON_ENCODER } from '../wire/json-encoder.ts';
import { answerEarly } from './unread-request.ts';
import { PEER_ADDRESS, peerOf } from './peer.ts';
import { CLOSE_STALLED_STREAM, TIME_LEFT } from '../handlers/run-request.ts';

/** Options of a listener. */
export interface RpcListenerOptions {
  /** Adds the services. */
  readonly routes: (router: ConnectRouter) => void;
  /** Ends what is under way where it aborts. */
  readonly shutdownSignal?: AbortSignal;
  readonly bodies: Omit<BodyTransferOptions, 'coming'>;
  /** How callers are known. Default: nobody is asked. */
  readonly authentication?: (() => Authentication | undefined) | undefined;
}

/** Most bytes that the message in a query expands to; a query cannot be long, but it can be compressed. */
const QUERY_BYTES = 64 * 1024;

/** Expands what stands in queries; bodies come expanded. */
const COMPRESSION = {
  ...compressionGzip,
  decompress: (bytes: Uint8Array, readMaxBytes: number) =>
    compressionGzip.decompress(bytes, Math.min(readMaxBytes, QUERY_BYTES)),
};

/** An answer in JSON may be so much larger than the message that it stands for; HTTP knows no limit. */
const JSON_EXPANSION = 6;

/** Replies stay as they are: compressing each message of a stream costs more than it saves. */
const NEVER_COMPRESS_BYTES = 0xffff_ffff;

/** How Connect reads and writes JSON; the encoder is an option of its serialization, and a test watches that it still is. */
const JSON_OPTIONS = { ignoreUnknownFields: false, textEncoder: JSON_ENCODER };

/** Connect answers 500 where the message of a GET is not in the coding that its query names. */
function isQueryReadable({ method, url = '' }: WebRequest): boolean {
  if (method !== 'GET') return true;
  const query = new URLSearchParams(url.slice(url.indexOf('?') + 1));
  if (query.get('base64') !== '1') return true;
  try {
    base64Decode(query.get('message') ?? '');
    return true;
  } catch {
    return false;
  }
}

/** Answers one request. */
export type RpcListener = (request: WebRequest, response: WebResponse) => void;

/**
 * Makes the listener for services over Connect and gRPC-Web. In place of `connectNodeAdapter`, which dies of a malformed Host,
 * cannot shorten deadlines, and writes to the console about every stream that a client leaves.
 */
export function createRpcListener(options: RpcListenerOptions): RpcListener {
  const { routes, shutdownSignal, authentication } = options;
  const bodies = { ...options.bodies, coming: new Set<BodyTransfer>() };
  shutdownSignal?.addEventListener('abort', () => {
    for (const transfer of bodies.coming) transfer.shutDown();
  });
  const { maxMessageBytes } = bodies.transfers.limits;
  const router = createConnectRouter({
    grpc: false,
    // What is larger is refused before it gets here, with details.
    readMaxBytes: 2 * maxMessageBytes,
    writeMaxBytes: maxMessageBytes * JSON_EXPANSION,
    acceptCompression: [COMPRESSION],
    compressMinBytes: NEVER_COMPRESS_BYTES,
    jsonOptions: JSON_OPTIONS,
    ...(shutdownSignal && { shutdownSignal }),
  });
  routes(router);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  const begin = (
    handle: UniversalHandler,
    request: WebRequest,
    response: WebResponse,
    caller?: Caller,
    refused?: ConnectError,
  ): void => {
    const close = (): void => resetResponse(response);
    const transfer = new BodyTransfer(request, response, bodies, caller && callerShareKey(caller), refused);
    const values = createContextValues()
      .set(CLOSE_STALLED_STREAM, close)
      .set(TIME_LEFT, () => transfer.timeLeftMs())
      .set(SHARE_KEY, transfer.callerKey)
      .set(CALLER, caller)
      .set(PEER_ADDRESS, peerOf(request));
    void (async () => {
      try {
        const asked = universalRequestFromNodeRequest(request, response, undefined, values);
        const answer = await handle({ ...asked, body: transfer.body(handle.method.input) });
        const watched = transfer.answered(answer);
        await universalResponseToNodeResponse(answerEarly(watched, request, response, bodies.runtime), response);
      } catch {
        // The client is gone, or the answer cannot be written; the handlers have told of whatever else went wrong. Before the head is
        // out, what cannot be written is an error that quotes what the caller sent.
        if (response.headersSent || response.destroyed) close();
        else respondText(response, 400, 'malformed request');
      }
    })();
  };
  return (request, response) => {
    const handle = handlers.get(pathOf(request));
    if (handle === undefined) return respondText(response, 404, 'not found');
    const host = authorityOf(request);
    if (host === undefined || !URL.canParse(request.url ?? '', `http://${host}`))
      return respondText(response, 400, 'bad host');
    if (!isQueryReadable(request)) return respondText(response, 400, 'the message in the query is not base64');
    clampTimeoutHeaders(request.headers);
    // nginx passes events on as they come only where it is told so.
    if (handle.method.methodKind === 'server_streaming') response.setHeader('x-accel-buffering', 'no');
    const asked = authentication?.();
    const widen = (): void => {
      if ('stream' in request) widenWindows(request.stream.session, bodies.transfers);
    };
    if (asked === undefined) {
      widen();
      return begin(handle, request, response);
    }
    // What one caller is told is for nobody else; caches know of authorization alone (RFC 9111, "Storing Responses to Authenticated Requests").
    if (request.method === 'GET') response.setHeader('cache-control', 'no-store');
    identifyWebCall(request, asked, bodies.runtime.random, (found) => {
      const isError = found instanceof ConnectError;
      if (isError && answerUnauthenticated(request, response, found)) return;
      if (found !== undefined && !isError) widen();
      begin(handle, request, response, isError ? undefined : found, isError ? found : undefined);
    });
  };
}
