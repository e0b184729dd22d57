import type { UsageRecord } from '../../ledger/port/usage-record.ts';
import type { RecentAttempt, RecentCall } from '../port/shown/recent-history.ts';

/** Makes calls of the rows that the ledger has of a request, the last one first. How they ended for their callers it does not know. */
export function callsOfRecords(records: readonly UsageRecord[]): readonly RecentCall[] {
  return [...Map.groupBy(records, ({ callId }) => callId).values()]
    .map(callOf)
    .sort((one, other) => other.startedAtMs - one.startedAtMs);
}

function callOf(records: readonly UsageRecord[]): RecentCall {
  const startedAtMs = Math.min(...records.map((record) => record.startedAtMs));
  const endedAtMs = Math.max(...records.map((record) => record.startedAtMs + record.durationMs));
  const serving = records.find(({ isServing }) => isServing);
  const costs = records.map(({ costNanoUsd }) => costNanoUsd);
  const { requestId = '', method = '', caller = '', group = '', labels = {} } = records[0] ?? {};
  return {
    requestId,
    startedAtMs,
    method,
    caller: caller === '' ? undefined : caller,
    group: group === '' ? undefined : group,
    labels,
    status: serving === undefined ? undefined : 'OK',
    target: serving?.target,
    model: serving?.reportedModel === '' ? serving.model : serving?.reportedModel,
    durationMs: endedAtMs - startedAtMs,
    nanoUsd: costs.includes(undefined) ? undefined : costs.reduce((sum, cost) => sum + Number(cost), 0),
    attempts: records.map((record) => attemptOf(record, startedAtMs)),
    attemptsLeftOut: 0,
  };
}

function attemptOf(record: UsageRecord, startedAtMs: number): RecentAttempt {
  return {
    number: record.number,
    kind: record.kind,
    target: record.target,
    provider: record.provider,
    model: record.model,
    reportedModel:
      record.reportedModel === '' || record.reportedModel === record.model ? undefined : record.reportedModel,
    outcome: record.outcome,
    httpStatus: record.httpStatus,
    providerRequestId: record.providerRequestId === '' ? undefined : record.providerRequestId,
    afterMs: record.startedAtMs - startedAtMs,
    durationMs: record.durationMs,
    firstOutputMs: record.firstOutputMs,
    inputTokens: record.inputTokens,
    outputTokens: record.outputTokens,
    nanoUsd: record.costNanoUsd === undefined ? undefined : Number(record.costNanoUsd),
    costSource: record.costSource,
  };
}
