import type { Failure, FailureReason } from '../../core/failure.ts';
import { roundedMs } from '../../core/formats/rounded-ms.ts';
import { boundedLabels } from '../report/bounded-labels.ts';
import type { CallReport, EndedAttempt } from '../report/call-report.ts';
import { genAiProvider, OPERATION } from '../report/gen-ai.ts';
import { rpcMethod } from '../report/rpc-method.ts';

/** Levels of log lines. */
export type LogLevel = 'info' | 'warn' | 'error';

/** Bounds of what callers chose: refused calls are logged too, and were not refused for being short. */
const MAX_MODEL_LENGTH = 256;
const MAX_TIER_LENGTH = 64;

/** Who is to look at a failed call: nobody but its caller (info), the operator or the provider (warn), or us (error). */
const LEVELS = {
  INVALID_REQUEST: 'info',
  CONTEXT_LENGTH_EXCEEDED: 'info',
  UNSUPPORTED_PARAMETER: 'info',
  PROMPT_BLOCKED: 'info',
  COST_LIMIT_EXCEEDED: 'info',
  MODEL_NOT_FOUND: 'info',
  ROUTE_NOT_FOUND: 'info',
  TARGET_NOT_FOUND: 'info',
  NO_PROVIDER_CONFIGURED: 'warn',
  AUTH_REQUIRED: 'info',
  AUTH_INVALID: 'info',
  MODEL_FORBIDDEN: 'info',
  CALLER_RATE_LIMITED: 'info',
  BUDGET_EXHAUSTED: 'info',
  LIMITS_UNAVAILABLE: 'warn',
  LEDGER_NOT_CONFIGURED: 'info',
  LEDGER_UNAVAILABLE: 'warn',
  USAGE_FORBIDDEN: 'info',
  OVERLOADED: 'warn',
  SHUTTING_DOWN: 'info',
  CIRCUIT_OPEN: 'warn',
  DEADLINE: 'warn',
  CANCELLED: 'info',
  SLOW_READER: 'info',
  PROVIDER_AUTH_FAILED: 'warn',
  PROVIDER_MODEL_NOT_FOUND: 'warn',
  PROVIDER_RATE_LIMITED: 'warn',
  PROVIDER_QUOTA_EXHAUSTED: 'warn',
  PROVIDER_UNAVAILABLE: 'warn',
  PROVIDER_TIMEOUT: 'warn',
  PROVIDER_PROTOCOL_ERROR: 'warn',
  STREAM_INTERRUPTED: 'warn',
  ALL_PROVIDERS_FAILED: 'warn',
  INTERNAL: 'error',
  SCHEMA_MISMATCH: 'warn',
  MESSAGE_TOO_LARGE: 'warn',
} as const satisfies Record<FailureReason, LogLevel>;

/** Returns the level of a call's line. */
export function levelOf({ outcome }: CallReport): LogLevel {
  return outcome.reason === undefined ? 'info' : LEVELS[outcome.reason];
}

/** Whether a failure is for somebody else than the caller to look at. */
export function isOurs(reason: FailureReason): boolean {
  return LEVELS[reason] !== 'info';
}

/**
 * Builds the fields of a call's line: OpenTelemetry's names where there are some, otherwise `understudy.…`; docs/metrics.md
 * lists them. A field without a value is undefined and does not appear. Of failures only reason, status and code are taken.
 *
 * @param share - of the calls like this one so many have a line, 0 to 1. Absent: all
 */
export function callFields(end: CallReport, share?: number): Readonly<Record<string, unknown>> {
  const { method, outcome, finishReason, requestedModel, serving, firstOutputMs, usage, cost, labels } = end;
  const streams = method === 'StreamChat';
  return {
    'understudy.request_id': end.requestId,
    trace_id: end.trace?.traceId,
    span_id: end.trace?.spanId,
    'understudy.caller': end.caller?.name,
    'understudy.caller_group': end.caller?.group,
    'rpc.method': rpcMethod(method),
    'rpc.status_code': outcome.status,
    'error.type': outcome.reason,
    'gen_ai.operation.name': OPERATION,
    'gen_ai.provider.name': serving && genAiProvider(serving.provider),
    'gen_ai.request.model': requestedModel === '' ? undefined : requestedModel.slice(0, MAX_MODEL_LENGTH),
    'gen_ai.request.stream': streams,
    'gen_ai.response.model': serving?.model.slice(0, MAX_MODEL_LENGTH),
    'gen_ai.response.finish_reasons': finishReason && [finishReason.toLowerCase()],
    'gen_ai.response.time_to_first_chunk':
      streams && firstOutputMs !== undefined ? roundedMs(firstOutputMs) / 1_000 : undefined,
    'gen_ai.usage.input_tokens': usage?.inputTokens,
    'gen_ai.usage.cache_read.input_tokens': usage?.cachedInputTokens,
    'gen_ai.usage.cache_creation.input_tokens': usage?.cacheWriteTokens,
    'gen_ai.usage.output_tokens': usage?.outputTokens,
    'gen_ai.usage.reasoning.output_tokens': usage?.reasoningTokens,
    'understudy.target': serving?.target,
    'understudy.duration_ms': roundedMs(end.durationMs),
    'understudy.first_output_ms': roundedMs(firstOutputMs),
    'understudy.cost.nano_usd': cost?.nanoUsd === undefined ? undefined : Number(cost.nanoUsd),
    'understudy.cost.source': cost?.source,
    'understudy.logged_share': share === 1 ? undefined : share,
    'understudy.labels': labelFields(labels),
    'understudy.trail': end.attempts.length === 0 ? undefined : end.attempts.map(trailFields),
    'understudy.skips_left_out': end.skipsLeftOut === 0 ? undefined : end.skipsLeftOut,
  };
}

/** What of a failure an operator is told. */
export type AlertFailure = Pick<Failure, 'class' | 'reason' | 'httpStatus' | 'providerCode'>;

/** Builds the fields of an alert's line. */
export function alertFields(target: string, failure: AlertFailure): Readonly<Record<string, unknown>> {
  return {
    'understudy.target': target,
    'error.type': failure.reason,
    'understudy.failure.class': failure.class,
    'http.response.status_code': failure.httpStatus,
    'understudy.provider_code': failure.providerCode,
  };
}

function trailFields({ record, cost }: EndedAttempt): Readonly<Record<string, unknown>> {
  const { number, kind, entry, reportedModel, failure, httpStatus, durationMs, firstOutputMs, usage, circuit } = record;
  const wasMade = kind !== 'SKIPPED';
  return {
    number,
    kind,
    provider: entry.provider,
    target: entry.target,
    model: entry.model.slice(0, MAX_MODEL_LENGTH),
    reported_model: reportedModel === entry.model ? undefined : reportedModel?.slice(0, MAX_MODEL_LENGTH),
    outcome: failure?.reason ?? 'OK',
    status: failure?.httpStatus ?? httpStatus,
    code: failure?.providerCode ?? failure?.brokenBy,
    ms: roundedMs(durationMs),
    wait_ms: record.waitBeforeMs === 0 ? undefined : roundedMs(record.waitBeforeMs),
    slice_ms: wasMade ? roundedMs(record.sliceMs) : undefined,
    first_output_ms: roundedMs(firstOutputMs),
    phase: wasMade ? record.phase : undefined,
    circuit: circuit?.state,
    generation: circuit?.generation,
    input_tokens: usage?.inputTokens,
    cached_input_tokens: usage?.cachedInputTokens,
    cache_write_tokens: usage?.cacheWriteTokens,
    output_tokens: usage?.outputTokens,
    reasoning_tokens: usage?.reasoningTokens,
    service_tier: usage?.serviceTier?.slice(0, MAX_TIER_LENGTH),
    nano_usd: cost?.nanoUsd === undefined ? undefined : Number(cost.nanoUsd),
    cost_source: cost?.source,
  };
}

function labelFields(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> | undefined {
  const entries = boundedLabels(labels);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
