import { Code, ConnectError } from '@connectrpc/connect';
import { ErrorReason } from '../../../gen/understudy/v1/error_pb.ts';
import { type Attempt, AttemptKind } from '../../../gen/understudy/v1/routing_pb.ts';
import { type Failure, FailureError, REASON_STATUS, type StatusName } from '../../core/failure.ts';
import type { TokenUsage } from '../../core/ports.ts';
import type { CallFailure } from '../../engine/port/call.ts';
import { fitDetails } from './details.ts';
import { REQUEST_ID_HEADER } from '../port/limits.ts';
import type { Violation } from '../port/violations.ts';

/** Tells clients whether and when they may repeat a call (gRFC A6); negative forbids it. */
export const PUSHBACK_HEADER = 'grpc-retry-pushback-ms';

const SHUTTING_DOWN = 'The gateway is shutting down.';

const MIN_PUSHBACK_MS = 250;
const PUSHBACK_JITTER = 0.25;

/** Another replica can take a refused call now, but clients read a wait of less than 10 ms each in another way (rule D2). */
const REPLICA_PUSHBACK_MS = { least: 10, most: 50 };

/** A wait fits into a caller's time where it leaves so many milliseconds for the repeat. */
const LEAST_TRY_MS = 50;

const STATUS_CODES = {
  CANCELLED: Code.Canceled,
  INVALID_ARGUMENT: Code.InvalidArgument,
  DEADLINE_EXCEEDED: Code.DeadlineExceeded,
  NOT_FOUND: Code.NotFound,
  PERMISSION_DENIED: Code.PermissionDenied,
  RESOURCE_EXHAUSTED: Code.ResourceExhausted,
  FAILED_PRECONDITION: Code.FailedPrecondition,
  ABORTED: Code.Aborted,
  INTERNAL: Code.Internal,
  UNAVAILABLE: Code.Unavailable,
  UNAUTHENTICATED: Code.Unauthenticated,
} as const satisfies Record<StatusName, Code>;

const REASON_NAMES = new Map<number, string>(Object.entries(ErrorReason).map(([name, value]) => [value, name]));

/** What an error says besides the failure. */
export interface ErrorContext {
  /** Empty where the request was not looked at and its caller has named none. */
  readonly requestId: string;
  /** Chance, 0 to 1, that spreads the repeats of clients. */
  readonly random: () => number;
  /** The trail; empty where no target was considered. */
  readonly attempts?: readonly Attempt[];
  /** All that is wrong with the request. */
  readonly violations?: readonly Violation[];
  /** Tokens that the caller has got, for an interrupted stream. */
  readonly usage?: TokenUsage | undefined;
  /** Milliseconds that the caller's deadline leaves; absent where it has set none. */
  readonly remainingMs?: number | undefined;
}

/**
 * Makes the error that a caller gets (engine rules B5 and R7): ErrorInfo and RequestInfo
 * always, the other details where they say something, the whole below 6 KiB. Without contact to a provider the metadata may
 * invite to repeat the call; after it they forbid it, and also where the caller's deadline would end the wait: a client with a
 * retry policy would lose the error for it. A cancelled call gets the bare status.
 */
export function callError(failure: CallFailure, context: ErrorContext): ConnectError {
  const code = STATUS_CODES[failure.status];
  const { requestId } = context;
  if (failure.reason === 'CANCELLED') {
    return new ConnectError(
      'The caller cancelled the request.',
      code,
      { [REQUEST_ID_HEADER]: requestId },
      [],
      failure.cause,
    );
  }
  const attempts = context.attempts ?? [];
  const violations = [...(context.violations ?? [])];
  if (violations.length === 0 && failure.field !== undefined) {
    violations.push({ field: failure.field, description: failure.message });
  }
  const { message, details } = fitDetails(code, {
    reason: failure.reason,
    message: failure.message,
    requestId,
    metadata: errorMetadata(failure, attempts, context),
    violations,
    retryAfterMs: failure.retryAfterMs,
    attempts,
    quota: failure.quota,
  });
  const metadata = new Headers(requestId === '' ? {} : { [REQUEST_ID_HEADER]: requestId });
  const pushback = pushbackMs(failure, context);
  if (pushback !== undefined) metadata.set(PUSHBACK_HEADER, String(pushback));
  return new ConnectError(message, code, metadata, details, failure.cause);
}

/** Makes an error of whatever was thrown: a ConnectError stays as it is, anything else is ours and is told as such. */
export function asConnectError(thrown: unknown, contacted: boolean, context: ErrorContext): ConnectError {
  return thrown instanceof ConnectError ? thrown : callError(unexpected(thrown, contacted), context);
}

/** Whether an error must commit the call at the client: it comes after headers, so that nothing on the way repeats it. */
export function forbidsRepeat(error: ConnectError): boolean {
  return error.metadata.get(PUSHBACK_HEADER)?.startsWith('-') ?? false;
}

/** Makes of a failure before any provider was contacted what the caller is told. */
export function refusal(failure: Failure): CallFailure {
  const { reason, message, retryAfterMs, field, quota, cause } = failure;
  return { status: REASON_STATUS[reason], reason, message, retryAfterMs, field, quota, contacted: false, cause };
}

/** What the caller of an invalid request is told. */
export function invalidRequest(violations: readonly Violation[]): CallFailure {
  const fields = violations.map((violation) => violation.field).join(', ');
  return {
    status: 'INVALID_ARGUMENT',
    reason: 'INVALID_REQUEST',
    message: `The request is invalid: ${fields}.`,
    contacted: false,
  };
}

/** Makes the reason with which a door that closes ends its calls; {@link endedByShutdown} is what their callers are told. */
export function shutdownReason(): ConnectError {
  return new ConnectError(SHUTTING_DOWN, Code.Unavailable);
}

/** What the caller of a server that goes down is told. */
export function endedByShutdown(contacted: boolean): CallFailure {
  return { status: 'UNAVAILABLE', reason: 'SHUTTING_DOWN', message: SHUTTING_DOWN, contacted };
}

/** What the caller is told of something that was thrown: nothing of it but what a {@link FailureError} carries. */
export function unexpected(thrown: unknown, contacted: boolean): CallFailure {
  if (thrown instanceof FailureError) return { ...refusal(thrown.failure), contacted };
  return { status: 'INTERNAL', reason: 'INTERNAL', message: 'The gateway failed.', contacted, cause: thrown };
}

function pushbackMs(failure: CallFailure, { random, remainingMs = Infinity }: ErrorContext): number | undefined {
  if (failure.contacted || isForGood(failure)) return -1;
  const waitMs = comeAgainMs(failure, random);
  return waitMs !== undefined && waitMs + LEAST_TRY_MS > remainingMs ? -1 : waitMs;
}

/** What is too large once is so again, and what a caller may not spend now it may not spend in a moment. */
function isForGood({ reason, retryAfterMs }: CallFailure): boolean {
  if (reason === 'CALLER_RATE_LIMITED') return retryAfterMs === undefined;
  return reason === 'MESSAGE_TOO_LARGE' || reason === 'BUDGET_EXHAUSTED';
}

/** Returns after how many milliseconds a client may repeat a call that reached no provider; undefined where it is of no use. */
function comeAgainMs({ reason, status, retryAfterMs }: CallFailure, random: () => number): number | undefined {
  const { least, most } = REPLICA_PUSHBACK_MS;
  if (reason === 'SHUTTING_DOWN') return least + Math.floor((most - least) * random());
  if (retryAfterMs === undefined && status !== 'UNAVAILABLE') return undefined;
  return Math.ceil(Math.max(retryAfterMs ?? 0, MIN_PUSHBACK_MS) * (1 + PUSHBACK_JITTER * random()));
}

function errorMetadata(
  failure: CallFailure,
  attempts: readonly Attempt[],
  context: ErrorContext,
): Record<string, string> {
  const metadata: Record<string, string> = { ...failure.quota?.metadata };
  if (failure.reason === 'ALL_PROVIDERS_FAILED') {
    const made = attempts.filter((attempt) => attempt.kind !== AttemptKind.SKIPPED);
    const considered = made.length > 0 ? made : attempts;
    const reasons = new Set(considered.map((attempt) => REASON_NAMES.get(attempt.outcome) ?? 'UNSPECIFIED'));
    metadata['attempts'] = String(made.length);
    metadata['lastProvider'] = considered.at(-1)?.provider ?? '';
    metadata['reasons'] = [...reasons].join(',');
  }
  if (failure.reason === 'DEADLINE') metadata['which'] = context.remainingMs === undefined ? 'gateway' : 'caller';
  if (failure.reason === 'STREAM_INTERRUPTED') {
    const { inputTokens, outputTokens } = context.usage ?? {};
    if (inputTokens !== undefined) metadata['inputTokens'] = String(inputTokens);
    if (outputTokens !== undefined) metadata['outputTokens'] = String(outputTokens);
  }
  return metadata;
}
