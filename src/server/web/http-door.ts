import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { ServiceImpl } from '@connectrpc/connect';
import { LlmService } from '../../../gen/understudy/v1/llm_pb.ts';
import type { Runtime } from '../../core/ports.ts';
import { applyCors } from '../http/cors.ts';
import { LastAnswers } from '../http/last-answers.ts';
import { closeHttp, listenHttp } from '../http/listener.ts';
import { LiveCalls } from '../http/live-calls.ts';
import { answerProbe } from '../http/probes.ts';
import { createRpcListener } from '../http/rpc-listener.ts';
import { shutdownReason } from '../errors/status.ts';
import { within } from '../http/within.ts';
import { FLUSH_MS } from '../port/limits.ts';
import type { DrainableDoor } from '../shutdown/drain-doors.ts';

/** Options of the web door. */
export interface WebDoorOptions {
  /** `host:port`; port 0 lets the system choose. */
  readonly address: string;
  readonly handlers: ServiceImpl<typeof LlmService>;
  /** Answers `/readyz`. */
  readonly isReady: () => boolean;
  /** Whether clients are to go elsewhere: answers then say `Connection: close`. Default: never. */
  readonly isLeaving?: () => boolean;
  readonly runtime: Pick<Runtime, 'now' | 'setTimer' | 'clearTimer'>;
  /** Origins whose scripts may call. Default: none. */
  readonly corsOrigins?: readonly string[];
  /** How long a response may wait for its reader, in milliseconds. Default: `CLIENT_STALL_MS`. */
  readonly clientStallMs?: number;
}

/** An open web door. */
export interface WebDoor extends DrainableDoor {
  /** The bound `host:port`. */
  readonly address: string;
}

const LINGER_MS = 1000;

/**
 * Serves LlmService over Connect (JSON and binary, GET for what has no side effects) and gRPC-Web, and the probes. Plain
 * HTTP/1.1, which both protocols are made for; native gRPC and TLS are at the gRPC door or a proxy.
 */
export async function openWebDoor(options: WebDoorOptions): Promise<WebDoor> {
  const { runtime } = options;
  const shutdown = new AbortController();
  const calls = new LiveCalls();
  const answer = createRpcListener({
    routes: (router) => router.service(LlmService, options.handlers),
    ...(options.clientStallMs !== undefined && { clientStallMs: options.clientStallMs }),
    shutdownSignal: shutdown.signal,
  });
  const server = createServer((request, response) => {
    lastAnswers.add(response);
    if (answerProbe(request, response, options.isReady)) return;
    if (applyCors(request, response, options.corsOrigins ?? [])) return;
    const endCall = calls.begin();
    response.once('close', endCall);
    closeUnreadRequest(request, response, runtime);
    answer(request, response);
  });
  const lastAnswers = new LastAnswers(server, () => runtime.now(), options.isLeaving ?? (() => false));
  const address = await listenHttp(server, options.address);
  const sendAway = async (): Promise<void> => lastAnswers.sendAway();
  const drain = async (graceMs: number): Promise<void> => {
    lastAnswers.sendAway();
    await within(runtime, graceMs, calls.whenIdle());
    shutdown.abort(shutdownReason());
    await within(runtime, FLUSH_MS, calls.whenIdle());
    await closeHttp(server);
  };
  return { address, usedAtMs: () => lastAnswers.usedAtMs, sendAway, drain };
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
