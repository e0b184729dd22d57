import type { FinishReason } from '../core/answer.ts';
import type { FailureReason, StatusName } from '../core/failure.ts';
import type { TokenUsage } from '../core/ports.ts';
import type { AttemptRecord } from '../engine/port/call.ts';

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
}

/** The end of a call as log and metrics see it: plain data, without prompt and answer. */
export interface CallEnd {
  readonly method: 'Generate' | 'Chat' | 'StreamChat';
  readonly requestId: string;
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
}
