import type { Http2Session } from 'node:http2';
import type { ServiceImpl } from '@connectrpc/connect';
import { LlmService } from '../../../gen/understudy/v1/llm_pb.ts';
import { UsageService } from '../../../gen/understudy/v1/usage_service_pb.ts';
import type { System } from '../../core/ports.ts';
import { guardFromPages } from '../http/cors.ts';
import { createListener, type ListenerOptions } from '../http/listener.ts';
import { KnownHosts } from '../http/known-hosts.ts';
import { LastAnswers } from '../http/last-answers.ts';
import { LiveCalls } from '../http/live-calls.ts';
import { answerProbe } from '../http/health-endpoints.ts';
import { createRpcListener } from '../http/calls/rpc-listener.ts';
import { webLimits } from '../http/calls/web-json.ts';
import { widenWindows } from '../http2/wide-windows.ts';
import { shutdownReason } from '../errors/status.ts';
import { within } from '../http/within.ts';
import type { Authentication } from '../port/authentication.ts';
import { FLUSH_MS } from '../port/limits.ts';
import { FairTurns } from '../wire/fair-turns.ts';
import { paceOfBodies } from '../wire/reading-pace.ts';
import { createTransfers, type Transfers } from '../wire/transfers.ts';
import { answerFrontPage, type FrontPageFacts } from './front-page.ts';
import { PlainCalls } from './direct/plain-calls.ts';
import { plainMethods } from './direct/plain-method.ts';
import type { DrainableDoor } from '../shutdown/drain-doors.ts';

/** Options of the web door. */
export interface WebDoorOptions extends Omit<ListenerOptions, 'name' | 'opened'> {
  /** `host:port`; port 0 lets the system choose. */
  readonly address: string;
  readonly handlers: ServiceImpl<typeof LlmService>;
  /** Answers UsageService; without it there is none. */
  readonly usage?: ServiceImpl<typeof UsageService> | undefined;
  /** Answers `/readyz`. */
  readonly isReady: () => boolean;
  readonly runtime: Pick<
    System,
    'now' | 'random' | 'setTimer' | 'clearTimer' | 'setIdleTimer' | 'afterInput' | 'busyMs'
  >;
  /** Bounds what requests and answers hold, together with the other doors. Default: bounds of its own. */
  readonly transfers?: Transfers;
  /** How callers are known. Default: nobody is asked. */
  readonly authentication?: (() => Authentication | undefined) | undefined;
  /** What `/` tells of the gRPC door. Default: nothing. */
  readonly grpc?: { readonly address: string; readonly reflection: boolean } | undefined;
  /** Whether clients are to go elsewhere: answers then say `Connection: close`. Default: never. */
  readonly isLeaving?: () => boolean;
  /** Origins whose scripts may call, besides the door's own. Default: none. */
  readonly corsOrigins?: readonly string[];
  /** Names by which the door may be called, besides those of loopback. Default: none. */
  readonly allowedHosts?: readonly string[];
}

/** An open web door. */
export interface WebDoor extends DrainableDoor {
  /** The bound `host:port`. */
  readonly address: string;
}

/**
 * Serves LlmService and UsageService over Connect (JSON and binary, GET for what has no side effects) and gRPC-Web, the probes, and a page
 * that says how it is called: over HTTP/1.1, which both protocols are made for, and with TLS over HTTP/2 too. Native gRPC is at the gRPC
 * door.
 */
export async function openWebDoor(options: WebDoorOptions): Promise<WebDoor> {
  const { runtime, corsOrigins = [] } = options;
  const { authentication, transfers = createTransfers(runtime) } = options;
  // Where nobody is named, whoever connects may call.
  const opened = (session: Http2Session): void => {
    if (authentication?.() === undefined) widenWindows(session, transfers);
  };
  const shutdown = new AbortController();
  const calls = new LiveCalls();
  const rules = { hosts: new KnownHosts(options.address, options.allowedHosts), origins: corsOrigins };
  const limits = webLimits(transfers.limits.maxMessageBytes);
  const methods = new Map([
    ...plainMethods(LlmService, options.handlers, limits),
    ...(options.usage === undefined ? [] : plainMethods(UsageService, options.usage, limits)),
  ]);
  const answer = createRpcListener({
    routes: (router) => {
      router.service(LlmService, options.handlers);
      if (options.usage !== undefined) router.service(UsageService, options.usage);
    },
    shutdownSignal: shutdown.signal,
    plain: new PlainCalls(methods, { runtime, shutdownSignal: shutdown.signal }),
    authentication,
    bodies: {
      runtime,
      transfers,
      turns: new FairTurns(runtime),
      pace: paceOfBodies(runtime),
    },
  });
  const frontPage: FrontPageFacts = {
    grpcAddress: options.grpc?.address,
    reflection: options.grpc?.reflection ?? false,
    isSecure: options.tls !== undefined,
    asksWhoCalls: () => authentication?.() !== undefined,
  };
  const listener = createListener({ ...options, name: 'web door', transfers, opened }, (request, response) => {
    lastAnswers.add(response);
    if (answerProbe(request, response, options.isReady)) return;
    if (guardFromPages(request, response, rules) || answerFrontPage(request, response, frontPage)) return;
    const endCall = calls.begin();
    response.once('close', endCall);
    answer(request, response);
  });
  const lastAnswers = new LastAnswers(listener, () => runtime.now(), options.isLeaving ?? (() => false));
  const address = await listener.listen(options.address);
  const drain = async (graceMs: number): Promise<void> => {
    const isIdle = async (): Promise<void> => {
      await lastAnswers.sendAway();
      await calls.whenIdle();
    };
    await within(runtime, graceMs, isIdle());
    shutdown.abort(shutdownReason());
    await within(runtime, FLUSH_MS, calls.whenIdle());
    await listener.close();
  };
  return { address, usedAtMs: () => lastAnswers.usedAtMs, sendAway: () => lastAnswers.sendAway(), drain };
}
