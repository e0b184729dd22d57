import { CostSource, UsageSource } from '../../../gen/understudy/v1/usage_pb.ts';
import { roundedMs } from '../../core/formats/rounded-ms.ts';
import type { AttemptRecord } from '../../engine/port/call.ts';
import type { UsageRecord } from '../../ledger/port/usage-record.ts';
import type { CallEnd } from '../../server/port/gateway-port.ts';
import { boundedText } from './bounded-text.ts';

/** Bounds what providers and callers have chosen: an index holds texts of a few KB at most. */
const MAX_TEXT = 256;

/**
 * Makes the records of a call: one for each attempt, none for entries that were passed over. Tokens and costs are those of the trail.
 *
 * @param callId unique for all time
 * @param listNanoUsd the list price of an attempt; undefined where there is none
 */
export function usageRecords(
  { method, requestId, caller, request, result, trail }: CallEnd,
  callId: string,
  listNanoUsd: (attempt: AttemptRecord) => bigint | undefined,
): readonly UsageRecord[] {
  const servedBy = result.ok ? result.serving.number : 0;
  const records: UsageRecord[] = [];
  result.attempts.forEach((record, index) => {
    if (record.kind === 'SKIPPED') return;
    const told = trail.attempts[index];
    const usage = told?.usage;
    const cost = told?.cost;
    const { entry, failure } = record;
    records.push({
      callId,
      startedAtMs: record.startedAtWallMs,
      durationMs: roundedMs(record.durationMs),
      firstOutputMs: roundedMs(record.firstOutputMs),
      requestId,
      method,
      caller: caller?.name ?? '',
      group: caller?.group ?? '',
      labels: request.labels,
      number: record.number,
      kind: record.kind,
      provider: entry.provider,
      target: entry.target,
      model: bounded(entry.model),
      reportedModel: bounded(record.reportedModel),
      outcome: failure?.reason ?? 'OK',
      httpStatus: record.httpStatus,
      providerRequestId: bounded(record.providerRequestId),
      isServing: record.number === servedBy,
      inputTokens: usage?.inputTokens,
      cachedInputTokens: usage?.cachedInputTokens,
      cacheWriteTokens: usage?.cacheWriteTokens,
      outputTokens: usage?.outputTokens,
      reasoningTokens: usage?.reasoningTokens,
      isEstimated: usage?.source === UsageSource.ESTIMATED,
      serviceTier: bounded(usage?.serviceTier),
      costNanoUsd: cost?.nanoUsd,
      costSource: sourceOf(cost?.source),
      listNanoUsd: listNanoUsd(record),
      priceTableVersion: cost?.priceTableVersion ?? '',
    });
  });
  return records;
}

function sourceOf(source: CostSource | undefined): UsageRecord['costSource'] {
  if (source === CostSource.EXACT) return 'EXACT';
  return source === CostSource.ESTIMATED ? 'ESTIMATED' : 'UNKNOWN';
}

function bounded(text = ''): string {
  return boundedText(text, MAX_TEXT);
}
