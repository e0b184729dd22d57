import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { ErrorReason } from '../../../gen/understudy/v1/error_pb.ts';
import { CostSource, UsageSource } from '../../../gen/understudy/v1/usage_pb.ts';
import {
  type UsageAttempt,
  UsageAttemptSchema,
  type UsageRow,
  UsageRowSchema,
} from '../../../gen/understudy/v1/usage_service_pb.ts';
import type { UsageSum } from '../../ledger/port/usage-queries.ts';
import type { UsageRecord } from '../../ledger/port/usage-record.ts';
import { describeUsage } from '../answers/attempt-trail.ts';

/** Puts sums into the contract's form. */
export function toldUsage({ keys, requests, attempts, listNanoUsd, ...sums }: UsageSum): UsageRow {
  return create(UsageRowSchema, {
    key: [...keys],
    requests: BigInt(requests),
    attempts: BigInt(attempts),
    inputTokens: sums.inputTokens,
    cachedInputTokens: sums.cachedInputTokens,
    outputTokens: sums.outputTokens,
    reasoningTokens: sums.reasoningTokens,
    costNanoUsd: sums.costNanoUsd,
    listNanoUsd,
    unknownCostAttempts: BigInt(sums.unknownCostAttempts),
  });
}

/** Puts an attempt of the ledger into the contract's form. */
export function toldAttempt(record: UsageRecord): UsageAttempt {
  const { costSource, costNanoUsd, priceTableVersion, labels } = record;
  return create(UsageAttemptSchema, {
    requestId: record.requestId,
    startedAt: timestampFromMs(record.startedAtMs),
    durationMs: record.durationMs,
    firstOutputMs: record.firstOutputMs,
    method: record.method,
    caller: record.caller,
    group: record.group,
    labels: { ...labels },
    number: record.number,
    kind: record.kind,
    provider: record.provider,
    target: record.target,
    model: record.model,
    reportedModel: record.reportedModel,
    outcome: record.outcome === 'OK' ? ErrorReason.UNSPECIFIED : ErrorReason[record.outcome],
    httpStatus: record.httpStatus,
    providerRequestId: record.providerRequestId,
    usage: hasTokens(record)
      ? describeUsage(record, record.isEstimated ? UsageSource.ESTIMATED : UsageSource.REPORTED)
      : undefined,
    cost: { nanoUsd: costNanoUsd, source: CostSource[costSource], priceTableVersion },
    listNanoUsd: record.listNanoUsd,
  });
}

function hasTokens({ inputTokens, outputTokens, serviceTier }: UsageRecord): boolean {
  return inputTokens !== undefined || outputTokens !== undefined || serviceTier !== '';
}
