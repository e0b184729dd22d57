import { base64Decode } from '@bufbuild/protobuf/wire';
import { ConnectError, type ConnectRouter, createConnectRouter } from '@connectrpc/connect';
import type { UniversalHandler } from '@connectrpc/connect/protocol';
import type { Caller } from '../../../callers/port/caller.ts';
import { LiveList } from '../../../core/live-list.ts';
import { type Authentication, callerShareKey } from '../../port/authentication.ts';
import { clampTimeoutHeaders } from '../../port/limits.ts';
import { answerUnauthenticated, identifyWebCall } from './identify-web-call.ts';
import { widenWindows } from '../../http2/wide-windows.ts';
import { BodyTransfer, type BodyTransferOptions } from './body-transfer.ts';
import { authorityOf, type WebRequest, type WebResponse, pathOf, respondText } from '../exchange.ts';
import { WebCall } from './web-call.ts';
import { MESSAGE_COMPRESSION, WEB_JSON, webLimits } from './web-json.ts';

/** Answers the calls that it knows to be plain. */
export interface PlainAnswers {
  /**
   * Answers a call as Connect would; undefined, and nothing is done, where it is not plain. Rejects where the answer cannot be written.
   */
  answer(call: WebCall): Promise<void> | undefined;
}

/** Options of a listener. */
export interface RpcListenerOptions {
  /** Adds the services. */
  readonly routes: (router: ConnectRouter) => void;
  /** Ends what is under way where it aborts. */
  readonly shutdownSignal?: AbortSignal;
  readonly bodies: Omit<BodyTransferOptions, 'coming'>;
  /** Answers calls in place of Connect. Default: none. */
  readonly plain?: PlainAnswers | undefined;
  /** How callers are known. Default: nobody is asked. */
  readonly authentication?: (() => Authentication | undefined) | undefined;
}

/** Replies stay as they are: compressing each message of a stream costs more than it saves. */
const NEVER_COMPRESS_BYTES = 0xffff_ffff;

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
  const bodies = { ...options.bodies, coming: new LiveList<BodyTransfer>() };
  shutdownSignal?.addEventListener('abort', () => {
    for (const transfer of bodies.coming.all()) transfer.shutDown();
  });
  const router = createConnectRouter({
    grpc: false,
    ...webLimits(bodies.transfers.limits.maxMessageBytes),
    acceptCompression: [MESSAGE_COMPRESSION],
    compressMinBytes: NEVER_COMPRESS_BYTES,
    jsonOptions: WEB_JSON,
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
    const transfer = new BodyTransfer(request, response, bodies, caller && callerShareKey(caller), refused);
    const call = new WebCall(request, response, { handle, transfer, caller, runtime: bodies.runtime });
    void (async () => {
      try {
        const answered = refused === undefined ? options.plain?.answer(call) : undefined;
        await (answered ?? call.answerByConnect());
      } catch {
        // The client is gone, or the answer cannot be written; the handlers have told of whatever else went wrong. Before the head is
        // out, what cannot be written is an error that quotes what the caller sent.
        if (response.headersSent || response.destroyed) call.reset();
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
