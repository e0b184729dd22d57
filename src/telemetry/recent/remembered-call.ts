import type { RecentAttempt, RecentCall } from '../../server/port/shown/recent-history.ts';
import { boundedLabels } from '../report/bounded-labels.ts';
import { boundedText } from '../report/bounded-text.ts';
import type { CallReport, EndedAttempt } from '../report/call-report.ts';

/** Bounds of what callers and providers chose. */
const MAX_MODEL_LENGTH = 256;
const MAX_ID_LENGTH = 128;

/** As many entries of a trail as answers and errors show, twice. */
const MOST_ATTEMPTS = 24;

/**
 * Makes what is remembered of a call: of its failures reason, status and codes alone, and nothing that holds on to more than it shows.
 *
 * @param wallMs when it ended, in milliseconds since the epoch
 */
export function rememberedCall(end: CallReport, wallMs: number): RecentCall {
  const { requestId, method, caller, outcome, serving, durationMs, firstOutputMs, cost, attempts } = end;
  return {
    requestId,
    startedAtMs: Math.round(wallMs - durationMs),
    method,
    caller: caller?.name,
    group: caller?.group,
    labels: Object.fromEntries(boundedLabels(end.labels)),
    requestedModel: boundedText(end.requestedModel, MAX_MODEL_LENGTH),
    status: outcome.status,
    reason: outcome.reason,
    target: serving?.target,
    model: serving && boundedText(serving.model, MAX_MODEL_LENGTH),
    durationMs: tenth(durationMs),
    firstOutputMs: firstOutputMs === undefined ? undefined : tenth(firstOutputMs),
    nanoUsd: cost?.nanoUsd === undefined ? undefined : Number(cost.nanoUsd),
    traceId: end.trace?.traceId,
    attempts: attempts.slice(0, MOST_ATTEMPTS).map(rememberedAttempt),
    attemptsLeftOut: Math.max(0, attempts.length - MOST_ATTEMPTS) + end.skipsLeftOut,
  };
}

function rememberedAttempt({ record, cost }: EndedAttempt): RecentAttempt {
  const { entry, failure, firstOutputMs, usage, providerRequestId = failure?.providerRequestId } = record;
  const wasMade = record.kind !== 'SKIPPED';
  return {
    number: record.number,
    kind: record.kind,
    target: entry.target,
    provider: entry.provider,
    model: boundedText(entry.model, MAX_MODEL_LENGTH),
    reportedModel:
      record.reportedModel === undefined || record.reportedModel === entry.model
        ? undefined
        : boundedText(record.reportedModel, MAX_MODEL_LENGTH),
    outcome: failure?.reason ?? 'OK',
    httpStatus: failure?.httpStatus ?? record.httpStatus,
    code: failure?.providerCode ?? failure?.brokenBy,
    providerRequestId: providerRequestId === undefined ? undefined : boundedText(providerRequestId, MAX_ID_LENGTH),
    afterMs: tenth(record.startedAfterMs),
    waitMs: record.waitBeforeMs === 0 ? undefined : tenth(record.waitBeforeMs),
    durationMs: tenth(record.durationMs),
    firstOutputMs: firstOutputMs === undefined ? undefined : tenth(firstOutputMs),
    phase: wasMade ? record.phase : undefined,
    circuit: record.circuit?.state,
    inputTokens: usage?.inputTokens,
    outputTokens: usage?.outputTokens,
    nanoUsd: cost?.nanoUsd === undefined ? undefined : Number(cost.nanoUsd),
    costSource: cost?.source,
  };
}

function tenth(ms: number): number {
  return Math.round(ms * 10) / 10;
}
