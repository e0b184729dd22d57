import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { durationMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import {
  BadRequestSchema,
  type ErrorInfo,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RequestInfoSchema,
  RetryInfoSchema,
} from '../../gen/google/rpc/error_details_pb.js';
import type { ErrorReason } from '../../gen/understudy/v1/error_pb.js';
import { type Attempt, AttemptKind, AttemptTrailSchema } from '../../gen/understudy/v1/routing_pb.js';
import { REQUEST_ID_HEADER } from '../calls/header-names.ts';
import { asUnavailable, wasNotSent } from '../calls/not-sent.ts';

/** Domain of the reasons that the gateway gives. */
export const ERROR_DOMAIN = 'understudy';

/** A reason of the gateway, such as `CIRCUIT_OPEN`: the name of an {@link ErrorReason}, or one that is newer than this client. */
export type ErrorReasonName = keyof typeof ErrorReason | (string & {});

/** A field of the request that is wrong, such as `messages[0].role`. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

/** A limit that is used up, such as that of `target:openai`. */
export interface QuotaViolation {
  readonly subject: string;
  readonly description: string;
}

/** What an error says. */
export interface DecodedError {
  /** The gRPC status code. UNKNOWN for something that is no gRPC error. */
  readonly code: Code;
  /** Why. Empty where the error carries no reason, so that it does not come from the gateway. */
  readonly reason: ErrorReasonName;
  /** The same in words, without the code. */
  readonly message: string;
  /** Who gives the reason: {@link ERROR_DOMAIN} for the gateway. Empty for none. */
  readonly domain: string;
  /** Further facts of the reason, such as `attempts` and `lastProvider`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** How long to wait before a repeat, in milliseconds. Undefined where nobody said. */
  readonly retryAfterMs: number | undefined;
  /**
   * Whether a repeat cannot bill twice: the gateway invites to it (`grpc-retry-pushback-ms`), or says that no provider was
   * asked, or was never reached. False where that is not certain.
   */
  readonly mayRetry: boolean;
  /** What is wrong with the request. */
  readonly violations: readonly FieldViolation[];
  /** Which limits are used up. */
  readonly quotaViolations: readonly QuotaViolation[];
  /** The id of the request. Empty for none. */
  readonly requestId: string;
  /** What the gateway tried, in order. Empty where it tried nothing, or the error is not its own. */
  readonly attempts: readonly Attempt[];
}

const PUSHBACK_HEADER = 'grpc-retry-pushback-ms';

/** Reasons that the gateway gives only before it asks a provider, or after a trail that says otherwise. */
const REASONS_BEFORE_CONTACT: ReadonlySet<string> = new Set(['CIRCUIT_OPEN', 'OVERLOADED', 'LIMITS_UNAVAILABLE']);

/**
 * Reads an error of a call: the `google.rpc` details of the gateway, the trail of attempts, and whether a repeat is safe.
 * Takes whatever was caught, also a ConnectError of another copy of Connect, and never throws: what cannot be read is left
 * out.
 */
export function decodeError(error: unknown): DecodedError {
  try {
    return decode(asUnavailable(ConnectError.from(error)));
  } catch {
    return decode(new ConnectError('an error that cannot be read', Code.Unknown));
  }
}

function decode(error: ConnectError): DecodedError {
  const details = error.details.filter((detail) => typeof detail === 'object' && detail !== null);
  const info = findAll(details, ErrorInfoSchema).sort((left, right) => rank(left.domain) - rank(right.domain))[0];
  const attempts = findAll(details, AttemptTrailSchema)[0]?.attempts ?? [];
  const pushbackMs = readPushback(error.metadata);
  const retryDelay = findAll(details, RetryInfoSchema)[0]?.retryDelay;
  return {
    code: error.code,
    reason: info?.reason ?? '',
    message: error.rawMessage,
    domain: info?.domain ?? '',
    metadata: { ...info?.metadata },
    retryAfterMs:
      pushbackMs !== undefined && pushbackMs >= 0 ? pushbackMs : retryDelay && Math.max(0, durationMs(retryDelay)),
    mayRetry: pushbackMs === undefined ? invites(error, info, attempts, retryDelay !== undefined) : pushbackMs >= 0,
    violations: (findAll(details, BadRequestSchema)[0]?.fieldViolations ?? []).map(({ field, description }) => ({
      field,
      description,
    })),
    quotaViolations: (findAll(details, QuotaFailureSchema)[0]?.violations ?? []).map(({ subject, description }) => ({
      subject,
      description,
    })),
    requestId: findAll(details, RequestInfoSchema)[0]?.requestId || (error.metadata.get(REQUEST_ID_HEADER) ?? ''),
    attempts,
  };
}

/** Details of a type; one that cannot be parsed is left out. Works on those of any copy of Connect. */
function findAll<Desc extends DescMessage>(details: ConnectError['details'], schema: Desc): MessageShape<Desc>[] {
  const own = new ConnectError('');
  own.details = details;
  try {
    return own.findDetails(schema);
  } catch {
    return [];
  }
}

function rank(domain: string): number {
  return domain === ERROR_DOMAIN ? 0 : 1;
}

/** Undefined without a pushback; -1 where it forbids a repeat or cannot be read, which means the same (gRFC A6). */
function readPushback(metadata: Headers): number | undefined {
  const value = metadata.get(PUSHBACK_HEADER);
  if (value === null) return undefined;
  return /^\d{1,10}$/.test(value) ? Number(value) : -1;
}

function invites(
  error: ConnectError,
  info: ErrorInfo | undefined,
  attempts: readonly Attempt[],
  hasRetryInfo: boolean,
): boolean {
  if (info === undefined) return wasNotSent(error);
  if (info.domain !== ERROR_DOMAIN || !(hasRetryInfo || REASONS_BEFORE_CONTACT.has(info.reason))) return false;
  return attempts.every((attempt) => attempt.kind === AttemptKind.SKIPPED);
}
