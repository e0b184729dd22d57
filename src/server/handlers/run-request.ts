import { Code, ConnectError, createContextKey, type HandlerContext } from '@connectrpc/connect';
import { OTHERS_CATCH_UP } from '../../core/cohort.ts';
import type { Delta, Finish } from '../../core/answer.ts';
import type { CallTrace } from '../port/observed/call-trace.ts';
import type { CallFailure, CallResult, ClientSink, Recovery } from '../../engine/port/call.ts';
import type { AnswerContext, AnsweredCall } from '../answers/assembled-answer.ts';
import { describeTrail } from '../answers/attempt-trail.ts';
import type { AllowedUse, GatewayPort, CallEnd, Plan, PlanRequest } from '../port/gateway-port.ts';
import { CALLER } from '../port/caller-key.ts';
import { chooseRequestId, REQUEST_ID_HEADER } from '../port/limits.ts';
import { SHARE_KEY } from '../port/share-key.ts';
import { enterCall, heldCall, leaveCall } from './held-call.ts';
import { callError, invalidRequest, refusal, endedByShutdown, unexpected } from '../errors/status.ts';
import type { Violation } from '../port/violations.ts';

/** What the handlers need besides the gateway. */
export interface HandlerOptions {
  /** Chance, 0 to 1, that spreads the repeats of clients. */
  readonly random: () => number;
  /** Largest answer, in bytes, that a door can send. Default: any. */
  readonly maxMessageBytes?: number;
  /** Whether new calls are taken; false while the server drains. Default: always. */
  readonly isAccepting?: () => boolean;
}

/** One request of Generate, Chat or StreamChat. */
export interface RpcRequest {
  readonly method: CallEnd['method'];
  readonly request: CallEnd['request'];
  /** The request as a conversation. */
  readonly conversation: PlanRequest;
  readonly violations: readonly Violation[];
}

/** Whose request it is and where its answer goes. */
export interface RpcCaller {
  /** Aborts when the caller cancels or is gone. */
  readonly signal: AbortSignal;
  readonly requestId: string;
  /** Where the answer streams to; absent where it is returned whole. */
  readonly client?: ClientSink<Delta>;
  /** What becomes of a stream that breaks off; absent for FAIL. */
  readonly recovery?: Recovery;
}

/** A good answer and what is to be said with it. */
export interface AnsweredRpc {
  readonly result: AnsweredCall;
  readonly answer: AnswerContext;
}

/**
 * How a door ends a stream whose reader has stalled: a status would wait behind what is not read. A door that has no such
 * means leaves it unset.
 */
export const CLOSE_STALLED_STREAM = createContextKey<() => void>(() => undefined, {
  description: 'close stalled stream',
});

/**
 * Tells how many milliseconds a call has left by the monotonic clock, undefined without a deadline. A door sets it whose library
 * reckons by the wall clock, which may be set while a request is received.
 */
export const TIME_LEFT = createContextKey<(() => number | undefined) | undefined>(undefined, {
  description: 'time left',
});

/** Reads the id of a request and puts it into the response headers. */
export function identifyRequest(gateway: GatewayPort, context: HandlerContext, field = ''): string {
  const id = chooseRequestId(field, context.requestHeader.get(REQUEST_ID_HEADER), () => gateway.newRequestId());
  context.responseHeader.set(REQUEST_ID_HEADER, id);
  return id;
}

/**
 * Answers one request: plan, engine, trail, cost; the gateway hears of its end once, also where it is refused. Throws a
 * ConnectError for whatever goes wrong. The engine has the request and its signal a few microtasks later (see `core/cohort.ts`).
 */
export async function runRequest(
  port: GatewayPort,
  options: HandlerOptions,
  rpc: RpcRequest,
  context: HandlerContext,
  caller: RpcCaller,
): Promise<AnsweredRpc> {
  const { requestId, signal } = caller;
  const madeBy = context.values.get(CALLER);
  const timeoutMs = timeLeft(context);
  const gateway = port.inForce?.() ?? port;
  const trace = gateway.beginTrace?.(rpc.method, context);
  await OTHERS_CATCH_UP;
  let plan: Plan | undefined;
  let ticket: Awaited<ReturnType<typeof enterCall>>;
  let result: CallResult<Delta, Finish>;
  try {
    const planned = planOrRefusal(gateway, options, rpc, madeBy, trace);
    if ('status' in planned) {
      result = refusedResult(planned);
    } else {
      plan = planned;
      await OTHERS_CATCH_UP;
      const entered = enterCall(gateway, madeBy, plan);
      ticket = entered instanceof Promise ? await entered : entered;
      if (ticket !== undefined && 'reason' in ticket) {
        result = refusedResult(refusal(ticket));
      } else {
        const { client, recovery } = caller;
        const { affinity, chain, streams: upstreamStreams } = plan;
        const shareKey = context.values.get(SHARE_KEY);
        const { prepare, attemptEnded } = heldCall(plan, ticket);
        result = await gateway.run({
          chain,
          affinity,
          shareKey,
          timeoutMs,
          signal,
          client,
          recovery,
          upstreamStreams,
          prepare,
          attemptEnded,
        });
      }
    }
  } catch (thrown) {
    result = refusedResult(unexpected(thrown, plan !== undefined));
  }
  leaveCall(ticket, plan, result);
  if (!result.ok) result = { ...result, failure: explainCancel(result.failure, signal) };
  const trail = describeTrail(
    result.attempts,
    (attempt) => plan?.account(attempt),
    (attempt) => plan?.estimatedUsage?.(attempt),
  );
  await OTHERS_CATCH_UP;
  gateway.callEnded({ method: rpc.method, requestId, caller: madeBy, request: rpc.request, result, trail, trace });
  if (result.ok) {
    const warnings = plan?.warnings(result.serving, result.movedConversation) ?? [];
    return { result, answer: { requestId, requestedModel: rpc.request.model, trail, warnings } };
  }
  const { failure } = result;
  if (failure.reason === 'SLOW_READER') context.values.get(CLOSE_STALLED_STREAM)();
  const { attempts } = trail;
  const { violations } = rpc;
  throw callError(failure, {
    requestId,
    random: options.random,
    attempts,
    violations,
    usage: result.usage,
    remainingMs: context.timeoutMs(),
  });
}

function timeLeft(context: HandlerContext): number | undefined {
  // The context of the gRPC door is monotonic by itself; its values are made when they are asked for.
  const left = context.protocolName === 'grpc' ? undefined : context.values.get(TIME_LEFT);
  return left === undefined ? context.timeoutMs() : left();
}

function planOrRefusal(
  gateway: GatewayPort,
  options: HandlerOptions,
  rpc: RpcRequest,
  use: AllowedUse | undefined,
  trace: CallTrace | undefined,
): Plan | CallFailure {
  if (rpc.violations.length > 0) return invalidRequest(rpc.violations);
  if (options.isAccepting?.() === false) return endedByShutdown(false);
  const plan = gateway.plan(rpc.conversation, rpc.method === 'StreamChat', use, trace);
  return 'chain' in plan ? plan : refusal(plan);
}

function refusedResult(failure: CallFailure): CallResult<Delta, Finish> {
  return { ok: false, failure, attempts: [], skipsLeftOut: 0, elapsedMs: 0, usage: undefined };
}

/** Tells a call that the caller gave up from one that ran into its deadline or into the end of the server. */
function explainCancel(failure: CallFailure, signal: AbortSignal): CallFailure {
  if (failure.reason !== 'CANCELLED' || !(signal.reason instanceof ConnectError)) return failure;
  const { contacted } = failure;
  if (signal.reason.code === Code.Unavailable) return endedByShutdown(contacted);
  if (signal.reason.code !== Code.DeadlineExceeded) return failure;
  return {
    status: 'DEADLINE_EXCEEDED',
    reason: 'DEADLINE',
    message: 'The deadline of the request was reached.',
    contacted,
  };
}
