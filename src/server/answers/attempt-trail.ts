import { create } from '@bufbuild/protobuf';
import { ErrorReason } from '../../../gen/understudy/v1/error_pb.ts';
import { type Attempt, AttemptKind, AttemptSchema } from '../../../gen/understudy/v1/routing_pb.ts';
import {
  type Cost,
  CostSchema,
  CostSource,
  type Usage,
  UsageSchema,
  UsageSource,
} from '../../../gen/understudy/v1/usage_pb.ts';
import { roundedMs } from '../../core/formats/rounded-ms.ts';
import type { TokenUsage } from '../../core/ports.ts';
import type { AttemptRecord } from '../../engine/port/call.ts';
import type { PricedTrail } from '../port/gateway-port.ts';

/**
 * Translates the engine's trail. `cost` is asked once per attempt; undefined from it adds nothing. `estimated` is asked after it for
 * the usage of an attempt whose own counts cannot stand; undefined from it: they stand as reported.
 */
export function describeTrail(
  records: readonly AttemptRecord[],
  cost: (record: AttemptRecord) => Cost | undefined,
  estimated: (record: AttemptRecord) => TokenUsage | undefined = () => undefined,
): PricedTrail {
  const costs: Cost[] = [];
  const attempts = records.map((record) => {
    const own = cost(record);
    if (own !== undefined) costs.push(own);
    const usage = record.usage === undefined ? undefined : estimated(record);
    return describeAttempt(
      record,
      own,
      usage === undefined ? describeUsage(record.usage) : describeUsage(usage, UsageSource.ESTIMATED),
    );
  });
  return { attempts, cost: sumCosts(costs) };
}

/**
 * Translates one attempt. Of its failure only reason, status and codes are told (engine rule X5). Written out whole: every
 * call makes one, and `create` takes several times as long.
 */
function describeAttempt(record: AttemptRecord, cost: Cost | undefined, usage: Usage | undefined): Attempt {
  const { entry, failure } = record;
  return {
    $typeName: AttemptSchema.typeName,
    number: record.number,
    kind: AttemptKind[record.kind],
    provider: entry.provider,
    target: entry.target,
    model: entry.model,
    outcome: failure === undefined ? ErrorReason.UNSPECIFIED : ErrorReason[failure.reason],
    httpStatus: record.httpStatus ?? failure?.httpStatus,
    providerCode: failure?.providerCode ?? failure?.brokenBy ?? '',
    providerRequestId: record.providerRequestId ?? failure?.providerRequestId ?? '',
    startedAfterMs: roundedMs(record.startedAfterMs),
    durationMs: roundedMs(record.durationMs),
    firstOutputMs: roundedMs(record.firstOutputMs),
    waitBeforeMs: roundedMs(record.waitBeforeMs),
    usage,
    cost,
  };
}

/** Translates token counts; undefined stays undefined. A missing total is input and output together. */
export function describeUsage(
  usage: TokenUsage | undefined,
  source: UsageSource = UsageSource.REPORTED,
): Usage | undefined {
  if (usage === undefined) return undefined;
  const { inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens, reasoningTokens, serviceTier = '' } = usage;
  return {
    $typeName: UsageSchema.typeName,
    inputTokens,
    cachedInputTokens,
    cacheWriteTokens,
    outputTokens,
    reasoningTokens,
    totalTokens: totalTokens(usage),
    source,
    serviceTier,
  };
}

/** All tokens of a call: as reported, otherwise input and output together, undefined where either is unknown. */
export function totalTokens(usage: TokenUsage | undefined): number | undefined {
  if (usage?.totalTokens !== undefined) return usage.totalTokens;
  if (usage?.inputTokens === undefined || usage.outputTokens === undefined) return undefined;
  return usage.inputTokens + usage.outputTokens;
}

/** Adds up costs. One unknown makes the sum unknown, one estimate an estimate; nothing to add is undefined. */
export function sumCosts(costs: readonly Cost[]): Cost | undefined {
  const [first] = costs;
  if (costs.length <= 1) return first;
  const priceTableVersion = costs.find((cost) => cost.priceTableVersion !== '')?.priceTableVersion ?? '';
  let nanoUsd = 0n;
  for (const cost of costs) {
    if (cost.nanoUsd === undefined) return create(CostSchema, { source: CostSource.UNKNOWN, priceTableVersion });
    nanoUsd += cost.nanoUsd;
  }
  const isExact = costs.every((cost) => cost.source === CostSource.EXACT);
  return create(CostSchema, {
    nanoUsd,
    source: isExact ? CostSource.EXACT : CostSource.ESTIMATED,
    priceTableVersion,
  });
}
