import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { durationMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';

import {
  BadRequestSchema,
  ErrorInfoSchema,
  RequestInfoSchema,
  RetryInfoSchema,
} from '../../../gen/google/rpc/error_details_pb.ts';
import { type Attempt, AttemptTrailSchema } from '../../../gen/understudy/v1/routing_pb.ts';

/** Domain of the gateway's own reasons. */
const DOMAIN = 'understudy';

/** Why a call failed, as far as the error says it. */
export interface CallError {
  /** Name of the gRPC status, such as `NOT_FOUND`. */
  readonly code: string;
  /** The gateway's reason, such as `CIRCUIT_OPEN`; empty where the error is not its own. */
  readonly reason: string;
  readonly message: string;
  readonly violations: readonly { readonly field: string; readonly description: string }[];
  /** How long to wait before a repeat, in milliseconds; absent where nobody said. */
  readonly retryAfterMs?: number | undefined;
  /** Whether a repeat bills nothing twice: the gateway says so, or was never reached. */
  readonly mayRetry: boolean;
  readonly requestId: string;
  readonly attempts: readonly Attempt[];
  /** Code of Node or OpenSSL where the connection failed, such as `ECONNREFUSED`; empty for none. */
  readonly networkCode: string;
}

/** Codes of connections on which nothing was sent. */
const NEVER_CONNECTED: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN']);

/** Makes the error of a stream that ended without `finished`, as the gateway makes its own. */
export function endedEarly(): ConnectError {
  return new ConnectError('the stream ended before the answer was complete', Code.Aborted, undefined, [
    { desc: ErrorInfoSchema, value: { domain: DOMAIN, reason: 'STREAM_INTERRUPTED', metadata: { origin: 'client' } } },
  ]);
}

/** Reads what a call has thrown, whatever it is. */
export function readCallError(thrown: unknown): CallError {
  const error = ConnectError.from(thrown);
  const info = detailOf(error, ErrorInfoSchema);
  const networkCode = networkCodeOf(error);
  const pushback = error.metadata.get('grpc-retry-pushback-ms');
  const pushbackMs = pushback !== null && /^\d{1,10}$/.test(pushback) ? Number(pushback) : undefined;
  const delay = detailOf(error, RetryInfoSchema)?.retryDelay;
  return {
    // As all of gRPC says where a connection failed, whatever connect-node makes of its code.
    code: networkCode === '' ? nameOfCode(error.code) : 'UNAVAILABLE',
    reason: info?.domain === DOMAIN ? info.reason : '',
    message: error.rawMessage,
    violations: (detailOf(error, BadRequestSchema)?.fieldViolations ?? []).map(({ field, description }) => ({
      field,
      description,
    })),
    retryAfterMs: pushbackMs ?? (delay && Math.max(0, durationMs(delay))),
    mayRetry: pushbackMs !== undefined || NEVER_CONNECTED.has(networkCode),
    requestId: detailOf(error, RequestInfoSchema)?.requestId ?? error.metadata.get('x-request-id') ?? '',
    attempts: detailOf(error, AttemptTrailSchema)?.attempts ?? [],
    networkCode,
  };
}

/** The first detail of a type; one that cannot be parsed is none. */
function detailOf<Desc extends DescMessage>(error: ConnectError, schema: Desc): MessageShape<Desc> | undefined {
  try {
    return error.findDetails(schema)[0];
  } catch {
    return undefined;
  }
}

/** `DeadlineExceeded` as `DEADLINE_EXCEEDED`, and `Canceled` as gRPC spells it. */
function nameOfCode(code: Code): string {
  if (code === Code.Canceled) return 'CANCELLED';
  return (Code[code] ?? 'Unknown').replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();
}

function networkCodeOf(error: Error): string {
  const seen = new Set<unknown>();
  for (let cause: unknown = error.cause; cause instanceof Error && !seen.has(cause); cause = cause.cause) {
    seen.add(cause);
    if ('code' in cause && typeof cause.code === 'string') return cause.code;
  }
  return '';
}
