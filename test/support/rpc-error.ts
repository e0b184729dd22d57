import { fromBinary } from '@bufbuild/protobuf';
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import { anyUnpack, durationMs } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import type { Metadata, ServiceError } from '@grpc/grpc-js';

import {
  BadRequestSchema,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RequestInfoSchema,
  RetryInfoSchema,
} from '../../gen/google/rpc/error_details_pb.ts';
import { StatusSchema } from '../../gen/google/rpc/status_pb.ts';
import { ErrorReason } from '../../gen/understudy/v1/error_pb.ts';
import type { Attempt } from '../../gen/understudy/v1/routing_pb.ts';
import { AttemptKind, AttemptTrailSchema } from '../../gen/understudy/v1/routing_pb.ts';

/** A status other than OK as a gRPC client gets it, with its details decoded. */
export class RpcError extends Error {
  /** Name of the canonical code. */
  readonly code: string;
  /** Reason in ErrorInfo; empty without one. */
  readonly reason: string;
  readonly domain: string;
  readonly info: Readonly<Record<string, string>>;
  readonly requestId: string;
  readonly trail: readonly Attempt[];
  /** Fields that BadRequest names. */
  readonly fields: readonly string[];
  readonly retryDelayMs: number | undefined;
  /** What QuotaFailure says, as `subject: description`. */
  readonly quota: readonly string[];
  /** Value of `grpc-retry-pushback-ms`. */
  readonly pushback: string | undefined;
  readonly #metadata: Metadata;
  readonly #details: Uint8Array;

  constructor(error: ServiceError) {
    super(error.details);
    this.name = 'RpcError';
    this.code = status[error.code];
    this.#metadata = error.metadata;
    const bytes = error.metadata.get('grpc-status-details-bin')[0];
    this.#details = bytes === undefined ? new Uint8Array() : Buffer.from(bytes);
    const { details } = fromBinary(StatusSchema, this.#details);
    const info = detail(details, ErrorInfoSchema);
    this.reason = info?.reason ?? '';
    this.domain = info?.domain ?? '';
    this.info = info?.metadata ?? {};
    this.requestId = detail(details, RequestInfoSchema)?.requestId ?? '';
    this.trail = detail(details, AttemptTrailSchema)?.attempts ?? [];
    this.fields = detail(details, BadRequestSchema)?.fieldViolations.map(({ field }) => field) ?? [];
    this.quota =
      detail(details, QuotaFailureSchema)?.violations.map(({ subject, description }) => `${subject}: ${description}`) ??
      [];
    const delay = detail(details, RetryInfoSchema)?.retryDelay;
    this.retryDelayMs = delay === undefined ? undefined : durationMs(delay);
    this.pushback = error.metadata.get('grpc-retry-pushback-ms')[0]?.toString();
  }

  /** Everything that the error consists of, as text: message, trailers, and the details byte by byte. */
  get everything(): string {
    const trailers = Object.entries(this.#metadata.getMap()).map(([name, value]) => `${name}: ${value.toString()}`);
    return [this.message, this.stack, ...trailers, Buffer.from(this.#details).toString('latin1')].join('\n');
  }
}

/** Returns the error of a call; fails the test where the call succeeds. */
export async function rpcError(call: Promise<unknown>): Promise<RpcError> {
  const outcome = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome instanceof RpcError) return outcome;
  throw new Error('the call ended without a status of the gateway', { cause: outcome });
}

/** Writes a trail as `FIRST lead PROVIDER_AUTH_FAILED`, one line per attempt; success is `OK`. */
export function trailOf(attempts: readonly Attempt[]): readonly string[] {
  return attempts.map(({ kind, target, outcome }) => {
    const word = outcome === ErrorReason.UNSPECIFIED ? 'OK' : reasonName(outcome);
    return `${nameOf(AttemptKind, kind)} ${target} ${word}`;
  });
}

/** Returns the name of a reason without its prefix. */
export function reasonName(reason: number): string {
  return nameOf(ErrorReason, reason);
}

function nameOf(names: Readonly<Record<string, number>>, value: number): string {
  return Object.entries(names).find(([, number]) => number === value)?.[0] ?? String(value);
}

function detail<Desc extends DescMessage>(details: readonly Any[], schema: Desc): MessageShape<Desc> | undefined {
  return details.map((any) => anyUnpack(any, schema)).find((message) => message !== undefined);
}
