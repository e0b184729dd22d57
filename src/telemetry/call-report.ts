import { CostSource } from '../../gen/understudy/v1/usage_pb.ts';
import type { Cost } from '../../gen/understudy/v1/usage_pb.ts';
import type { AttemptRecord } from '../engine/port/call.ts';
import type { CallEnd as ServedCall } from '../server/port/gateway-port.ts';
import type { CallCost, CallEnd } from './call-end.ts';

/** Tells a call's end to telemetry: as plain data, without prompt and answer. */
export function reportCall({ method, requestId, request, result, trail }: ServedCall): CallEnd {
  // A stream passes on the first words that come, even if it begins anew; other calls only those of their last attempt.
  const spoke = result.attempts.filter(({ firstOutputMs }) => firstOutputMs !== undefined);
  const first = method === 'StreamChat' ? spoke[0] : spoke.at(-1);
  return {
    method,
    requestId,
    labels: request.labels,
    outcome: result.ok ? { status: 'OK' } : { status: result.failure.status, reason: result.failure.reason },
    finishReason: result.ok ? result.final.reason : undefined,
    requestedModel: request.model,
    serving: result.ok ? result.serving : undefined,
    durationMs: result.elapsedMs,
    firstOutputMs: first && firstOutputOfCall(first),
    usage: result.usage,
    cost: trail.cost && plainCost(trail.cost),
    skipsLeftOut: result.skipsLeftOut,
    attempts: result.attempts.map((record, index) => {
      const cost = trail.attempts[index]?.cost;
      return { record, cost: cost && plainCost(cost) };
    }),
  };
}

function firstOutputOfCall({ startedAfterMs, firstOutputMs }: AttemptRecord): number | undefined {
  return firstOutputMs === undefined ? undefined : startedAfterMs + firstOutputMs;
}

function plainCost({ nanoUsd, source }: Cost): CallCost {
  if (nanoUsd === undefined) return { source: 'UNKNOWN' };
  return { nanoUsd, source: source === CostSource.EXACT ? 'EXACT' : 'ESTIMATED' };
}
