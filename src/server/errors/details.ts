import { create, toBinary } from '@bufbuild/protobuf';
import { anyPack, durationFromMs } from '@bufbuild/protobuf/wkt';
import { Code, type ConnectError } from '@connectrpc/connect';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RequestInfoSchema,
  RetryInfoSchema,
} from '../../../gen/google/rpc/error_details_pb.ts';
import { StatusSchema } from '../../../gen/google/rpc/status_pb.ts';
import { ErrorReason } from '../../../gen/understudy/v1/error_pb.ts';
import { type Attempt, AttemptKind, AttemptTrailSchema } from '../../../gen/understudy/v1/routing_pb.ts';
import type { FailureReason, ReachedQuota } from '../../core/failure.ts';
import { truncateUtf8 } from '../port/limits.ts';
import type { Violation } from '../port/violations.ts';

/** Domain of every `google.rpc.ErrorInfo` of the gateway. */
const ERROR_DOMAIN = 'understudy';

/** Most attempts that an error tells of (engine rule D4). */
const MAX_TRAIL = 12;

/** Longest message of an error, in bytes; it is sent twice, once percent-encoded. */
const MAX_MESSAGE_LENGTH = 1024;

/** Largest encoded `google.rpc.Status`, in bytes of base64: Java refuses metadata above 8 KiB. */
const MAX_STATUS_LENGTH = 6 * 1024;

const SHORT_MESSAGE_LENGTH = 256;
const MAX_QUOTA_TARGETS = 8;

/** What an error tells besides its code. */
export interface ErrorFacts {
  readonly reason: FailureReason;
  readonly message: string;
  readonly requestId: string;
  /** Metadata of ErrorInfo; keys in lowerCamel. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly violations: readonly Violation[];
  readonly retryAfterMs: number | undefined;
  readonly attempts: readonly Attempt[];
  /** Which limit or budget of the caller is reached. */
  readonly quota?: ReachedQuota | undefined;
}

type Details = NonNullable<ConstructorParameters<typeof ConnectError>[3]>;

/** A message and the details that go with it. */
export interface FittedError {
  readonly message: string;
  readonly details: Details;
}

/**
 * Makes the details of an error so that the whole `google.rpc.Status` stays below 6 KiB: first the trail is shortened (skips,
 * then the attempts between the first and the last ones), then the message, then the violations.
 */
export function fitDetails(code: Code, facts: ErrorFacts): FittedError {
  const attempts = shortenTrail(facts.attempts);
  const violations = [...facts.violations];
  let message = truncateUtf8(facts.message, MAX_MESSAGE_LENGTH);
  for (;;) {
    const details = buildDetails(code, { ...facts, attempts, violations });
    const length = Math.ceil(encodeStatus(code, message, details).byteLength / 3) * 4;
    if (length < MAX_STATUS_LENGTH) return { message, details };
    if (attempts.length > 0) attempts.splice(Math.min(1, attempts.length - 1), 1);
    else if (Buffer.byteLength(message) > SHORT_MESSAGE_LENGTH) message = truncateUtf8(message, SHORT_MESSAGE_LENGTH);
    else if (violations.pop() === undefined) return { message, details };
  }
}

/** Encodes a `google.rpc.Status`, the value of `grpc-status-details-bin`. */
export function encodeStatus(code: number, message: string, details: ConnectError['details']): Uint8Array {
  const packed = details.map((detail) =>
    'desc' in detail
      ? anyPack(detail.desc, create(detail.desc, detail.value))
      : { typeUrl: `type.googleapis.com/${detail.type}`, value: detail.value },
  );
  return toBinary(StatusSchema, create(StatusSchema, { code, message, details: packed }));
}

/** Keeps 12 attempts: skips go first, the earliest of them before the others; then those between the first and the last. */
function shortenTrail(attempts: readonly Attempt[]): Attempt[] {
  const kept = [...attempts];
  while (kept.length > MAX_TRAIL) {
    const skip = kept.findIndex((attempt) => attempt.kind === AttemptKind.SKIPPED);
    kept.splice(skip === -1 ? 1 : skip, 1);
  }
  return kept;
}

function buildDetails(code: Code, facts: ErrorFacts): Details {
  const { reason, requestId, violations, retryAfterMs, attempts, quota: own } = facts;
  const metadata = { ...facts.metadata };
  const details: Details = [{ desc: ErrorInfoSchema, value: { reason, domain: ERROR_DOMAIN, metadata } }];
  if (requestId !== '') details.push({ desc: RequestInfoSchema, value: { requestId } });
  if (violations.length > 0) {
    details.push({
      desc: BadRequestSchema,
      value: { fieldViolations: violations.map(({ field, description }) => ({ field, description })) },
    });
  }
  if (retryAfterMs !== undefined) {
    details.push({ desc: RetryInfoSchema, value: { retryDelay: durationFromMs(Math.ceil(retryAfterMs)) } });
  }
  const ofProviders = code === Code.ResourceExhausted ? quotaViolations(attempts) : [];
  const quota = own === undefined ? ofProviders : [own];
  if (quota.length > 0)
    details.push({
      desc: QuotaFailureSchema,
      value: { violations: quota.map(({ subject, description }) => ({ subject, description })) },
    });
  if (attempts.length > 0) details.push({ desc: AttemptTrailSchema, value: { attempts: [...attempts] } });
  return details;
}

/** Names the targets whose providers limit us; each once. */
function quotaViolations(attempts: readonly Attempt[]): { subject: string; description: string }[] {
  const found = new Map<string, string>();
  for (const { outcome, target } of attempts) {
    if (outcome === ErrorReason.PROVIDER_RATE_LIMITED) found.set(target, 'the provider limits the rate');
    if (outcome === ErrorReason.PROVIDER_QUOTA_EXHAUSTED)
      found.set(target, 'the account at the provider has no credit left');
  }
  return [...found]
    .slice(0, MAX_QUOTA_TARGETS)
    .map(([target, description]) => ({ subject: `target:${target}`, description }));
}
