import { CostSource } from '../../../gen/understudy/v1/usage_pb.ts';
import type { Cost } from '../../../gen/understudy/v1/usage_pb.ts';
import type { Caller } from '../../callers/port/caller.ts';
import type { FinishReason } from '../../core/answer.ts';
import type { CallTrace } from '../../server/port/observed/call-trace.ts';
import type { FailureReason, StatusName } from '../../core/failure.ts';
import type { TokenUsage } from '../../core/ports.ts';
import type { AttemptRecord, CallFailure } from '../../engine/port/call.ts';
import type { CallEnd } from '../../server/port/gateway-port.ts';

/** What something cost. `nanoUsd` is absent where it is not known: unknown is never 0. */
export interface CallCost {
  /** Billionths of a USD, from 0. */
  readonly nanoUsd?: bigint | undefined;
  readonly source: 'EXACT' | 'ESTIMATED' | 'UNKNOWN';
}

/** How a call ended for its caller. */
export type CallOutcome =
  | { readonly status: 'OK'; readonly reason?: undefined }
  | { readonly status: StatusName; readonly reason: FailureReason };

/** One entry of the trail with what it cost. */
export interface EndedAttempt {
  readonly record: AttemptRecord;
  /** Absent: nothing was called, so there is nothing to reckon. */
  readonly cost?: CallCost | undefined;
  /** Of its span; absent where the call is not sampled, and where nothing was called. */
  readonly spanId?: string | undefined;
}

/** The end of a call as log and metrics see it: plain data, without prompt and answer. */
export interface CallReport {
  readonly method: CallEnd['method'];
  readonly requestId: string;
  /** Who made it; absent where callers are not named. */
  readonly caller?: Caller | undefined;
  /** Which limit or budget of the caller has ended it: the limit's name in the configuration, or `budget`. */
  readonly refusedBy?: string | undefined;
  /** Labels of the caller. They go to the log, never to metrics. */
  readonly labels: Readonly<Record<string, string>>;
  readonly outcome: CallOutcome;
  readonly finishReason?: FinishReason | undefined;
  /** The model as the caller wrote it; empty where the caller named none. */
  readonly requestedModel: string;
  /** Who answered. Absent: nobody. `model` is what the provider calls it. */
  readonly serving?: { readonly target: string; readonly provider: string; readonly model: string } | undefined;
  /** From the arrival of the call to its end, in milliseconds. */
  readonly durationMs: number;
  /** From the arrival of the call to the first piece of the answer, in milliseconds. Absent: none came. */
  readonly firstOutputMs?: number | undefined;
  /** What the provider counted for the serving attempt. */
  readonly usage?: TokenUsage | undefined;
  /** What all attempts together cost. Absent: nothing was called. */
  readonly cost?: CallCost | undefined;
  /** The trail, skipped entries included. */
  readonly attempts: readonly EndedAttempt[];
  /** Entries that were passed over and have no room in the trail. */
  readonly skipsLeftOut: number;
  /** How long it waited for a slot of the engine, and behind its last attempt in vain, in milliseconds. Absent: not at all. */
  readonly slotWaitMs?: number | undefined;
  readonly waitAfterMs?: number | undefined;
  /** Its trace, where that is sampled, and when it ended, in milliseconds since the epoch. */
  readonly trace?: CallTrace | undefined;
  readonly endedAtWallMs?: number | undefined;
}

/**
 * Tells a call's end to telemetry: as plain data, without prompt and answer.
 *
 * @param endedAtWallMs when it was, in milliseconds since the epoch; of sampled calls alone
 */
export function reportCall(
  { method, requestId, caller, request, result, trail, trace }: CallEnd,
  endedAtWallMs?: number,
): CallReport {
  // A stream passes on the first words that come, even if it begins anew; other calls only those of their last attempt.
  const spoke = result.attempts.filter(({ firstOutputMs }) => firstOutputMs !== undefined);
  const first = method === 'StreamChat' ? spoke[0] : spoke.at(-1);
  const sampled = trace?.isSampled === true ? trace : undefined;
  let made = 0;
  return {
    method,
    requestId,
    caller,
    refusedBy: result.ok ? undefined : refusedBy(result.failure),
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
    slotWaitMs: result.slotWaitMs,
    waitAfterMs: result.ok ? undefined : result.waitAfterMs,
    trace: sampled,
    endedAtWallMs,
    attempts: result.attempts.map((record, index) => {
      const cost = trail.attempts[index]?.cost;
      // Attempts are made one behind the other.
      const spanId = record.kind === 'SKIPPED' ? undefined : sampled?.attemptSpanIds[made++];
      return { record, cost: cost && plainCost(cost), spanId };
    }),
  };
}

function refusedBy({ quota }: CallFailure): string | undefined {
  return quota && (quota.metadata['limit'] ?? 'budget');
}

function firstOutputOfCall({ startedAfterMs, firstOutputMs }: AttemptRecord): number | undefined {
  return firstOutputMs === undefined ? undefined : startedAfterMs + firstOutputMs;
}

function plainCost({ nanoUsd, source }: Cost): CallCost {
  if (nanoUsd === undefined) return { source: 'UNKNOWN' };
  return { nanoUsd, source: source === CostSource.EXACT ? 'EXACT' : 'ESTIMATED' };
}
