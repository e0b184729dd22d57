import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Code, ConnectError, createConnectRouter, createContextValues, type ServiceImpl } from '@connectrpc/connect';
import {
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from '@connectrpc/connect-node';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import type { Runtime } from '../core/ports.ts';
import { applyCors } from './cors.ts';
import { closeHttp, listenHttp } from './http-listen.ts';
import { clampTimeoutHeaders, MAX_MESSAGE_BYTES } from './limits.ts';
import { LiveCalls } from './live-calls.ts';
import { answerProbe, pathOf, respondText } from './probes.ts';
import { CLOSE_STALLED_STREAM } from './run-request.ts';
import { within } from './within.ts';

/** Options of the web door. */
export interface WebDoorOptions {
  /** `host:port`; port 0 lets the system choose. */
  readonly address: string;
  readonly handlers: ServiceImpl<typeof LlmService>;
  /** Answers `/readyz`. */
  readonly isReady: () => boolean;
  readonly runtime: Pick<Runtime, 'setTimer' | 'clearTimer'>;
  /** Origins whose scripts may call. Default: none. */
  readonly corsOrigins?: readonly string[];
  /** How long a response may wait for its reader. Default: 65,000 ms, a little more than the engine's own limit. */
  readonly clientStallMs?: number;
}

/** An open web door. */
export interface WebDoor {
  /** The bound `host:port`. */
  readonly address: string;
  /** Lets calls under way go on for `graceMs` milliseconds, ends what is left with UNAVAILABLE, closes all connections. */
  drain(graceMs: number): Promise<void>;
}

const DEFAULT_STALL_MS = 65_000;
const FLUSH_MS = 1000;
const LINGER_MS = 1000;

/** Replies stay as they are: compressing each message of a stream costs more than it saves. */
const NEVER_COMPRESS_BYTES = 0xffff_ffff;

/**
 * Serves LlmService over Connect (JSON and binary, GET for what has no side effects) and gRPC-Web, and the probes. Plain
 * HTTP/1.1, which both protocols are made for; native gRPC and TLS are at the gRPC door or a proxy.
 */
export async function openWebDoor(options: WebDoorOptions): Promise<WebDoor> {
  const { runtime } = options;
  const shutdown = new AbortController();
  const calls = new LiveCalls();
  const answer = createRpcListener(options, shutdown.signal);
  const server = createServer((request, response) => {
    if (answerProbe(request, response, options.isReady)) return;
    if (applyCors(request, response, options.corsOrigins ?? [])) return;
    const endCall = calls.begin();
    response.once('close', endCall);
    closeUnreadRequest(request, response, runtime);
    answer(request, response);
  });
  const address = await listenHttp(server, options.address);
  const drain = async (graceMs: number): Promise<void> => {
    await within(runtime, graceMs, calls.whenIdle());
    shutdown.abort(new ConnectError('The gateway is shutting down.', Code.Unavailable));
    await within(runtime, FLUSH_MS, calls.whenIdle());
    await closeHttp(server);
  };
  return { address, drain };
}

type RpcListener = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Makes the listener for the service. In place of `connectNodeAdapter`, which dies of a malformed Host, cannot shorten
 * deadlines, and writes to the console about every stream that a client leaves.
 */
function createRpcListener(options: WebDoorOptions, shutdownSignal: AbortSignal): RpcListener {
  const router = createConnectRouter({
    grpc: false,
    readMaxBytes: MAX_MESSAGE_BYTES,
    writeMaxBytes: MAX_MESSAGE_BYTES,
    acceptCompression: [compressionGzip],
    compressMinBytes: NEVER_COMPRESS_BYTES,
    jsonOptions: { ignoreUnknownFields: false },
    shutdownSignal,
  });
  router.service(LlmService, options.handlers);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  const stallMs = options.clientStallMs ?? DEFAULT_STALL_MS;
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
        await universalResponseToNodeResponse(answer, response);
      } catch {
        // The client is gone, or the answer cannot be written any more; the handlers have told of whatever else went wrong.
        close();
      }
    })();
  };
}

/**
 * Closes the connection of a request that was answered before it was read whole, as an oversize one is. The rest is read for
 * a second, so that the client can finish reading the answer.
 */
function closeUnreadRequest(
  request: IncomingMessage,
  response: ServerResponse,
  runtime: WebDoorOptions['runtime'],
): void {
  response.once('finish', () => {
    if (request.complete) return;
    const timer = runtime.setTimer(LINGER_MS, () => request.socket.destroy());
    request.socket.once('close', () => runtime.clearTimer(timer));
    request.once('end', () => runtime.clearTimer(timer));
  });
}
