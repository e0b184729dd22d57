import type { FailureReason, StatusName } from '../../../core/failure.ts';

/** What this process remembers of its last calls, for people who look: bounded, without prompts and answers. Money is nano-USD. */
export interface RecentHistory {
  /** All calls together. */
  calls(): CallTraffic;
  /** The calls of a target; of one that was never called all is 0. */
  target(name: string): TargetTraffic;
  /** What has failed within the last hour, the most frequent first. */
  failures(): readonly FailureGroup[];
  /** The last calls that failed, or of which an attempt did, and not by their callers' doing; the last one first. */
  troubled(): readonly RecentCall[];
  /** Callers that have called lately, in the order of their names; none where callers are not named. */
  callers(): readonly CallerActivity[];
  /** Budgets of callers that have called, and of their groups. */
  budgets(): readonly BudgetState[];
  /** The calls with this id, the last one first. */
  find(requestId: string): readonly RecentCall[];
  /** From when on costs of today are counted: midnight UTC, or the start of this process; milliseconds since the epoch. */
  countedSinceMs(): number;
}

/** How many calls have ended of late. What callers have caused themselves is not counted as failed. */
export interface CallTraffic {
  readonly lastMinute: number;
  readonly failedLastMinute: number;
  readonly lastHour: number;
  readonly failedLastHour: number;
}

/** How the attempts on a target have gone of late; failed as in {@link CallTraffic}. */
export interface TargetTraffic {
  readonly lastMinute: number;
  readonly failedLastMinute: number;
  /** Attempts in each minute of the last hour, the one under way last. */
  readonly minutes: readonly number[];
  readonly failedMinutes: readonly number[];
  readonly costToday: DayCost;
}

/** What was spent today (UTC). */
export interface DayCost {
  /** As far as it is known. */
  readonly nanoUsd: number;
  /** Attempts whose cost nobody knows. */
  readonly unknownAttempts: number;
}

/** Failures that are alike. */
export interface FailureGroup {
  /** Absent: no target was asked. */
  readonly target?: string | undefined;
  readonly reason: FailureReason;
  /** The provider's or the network's code. */
  readonly code?: string | undefined;
  readonly httpStatus?: number | undefined;
  /** Failed attempts, or refused calls, of the last hour. */
  readonly count: number;
  /** Whether they are for the operator to look at; otherwise callers have caused them, or have left. */
  readonly isOurs: boolean;
  /** Of these, those that were the end of their call. */
  readonly endedCalls: number;
  /** How many there were in each minute of the last hour, the one under way last. */
  readonly minutes: readonly number[];
  /** When the last one was, in milliseconds since the epoch. */
  readonly lastAtMs: number;
  /** The last request that has ended with one; empty where all are still under way. */
  readonly lastRequestId: string;
}

/** A caller of late. */
export interface CallerActivity {
  readonly name: string;
  readonly group?: string | undefined;
  readonly lastMinute: number;
  readonly failedLastMinute: number;
  readonly lastHour: number;
  readonly costToday: DayCost;
}

/** A budget and what of it is spent. */
export interface BudgetState {
  /** `caller:billing` or `group:backend`. */
  readonly account: string;
  readonly per: 'day' | 'month';
  readonly nanoUsd: number;
  readonly spentNanoUsd: number;
  /** In milliseconds since the epoch. */
  readonly renewsAtMs: number;
}

/** A call that has ended. What is absent is not known. */
export interface RecentCall {
  readonly requestId: string;
  /** When it came, in milliseconds since the epoch. */
  readonly startedAtMs: number;
  readonly method: string;
  readonly caller?: string | undefined;
  readonly group?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** The model as the caller wrote it; empty where it named none. */
  readonly requestedModel?: string | undefined;
  readonly status?: 'OK' | StatusName | undefined;
  readonly reason?: FailureReason | undefined;
  /** Who answered. */
  readonly target?: string | undefined;
  readonly model?: string | undefined;
  readonly durationMs: number;
  readonly firstOutputMs?: number | undefined;
  readonly nanoUsd?: number | undefined;
  /** The id of its trace, where that is sampled. */
  readonly traceId?: string | undefined;
  readonly attempts: readonly RecentAttempt[];
  /** Further entries of the trail, for which there is no room. */
  readonly attemptsLeftOut: number;
}

/** One entry of the trail. What is absent is not known. */
export interface RecentAttempt {
  readonly number: number;
  readonly kind: string;
  readonly target: string;
  readonly provider: string;
  readonly model: string;
  readonly reportedModel?: string | undefined;
  readonly outcome: 'OK' | FailureReason;
  readonly httpStatus?: number | undefined;
  readonly code?: string | undefined;
  readonly providerRequestId?: string | undefined;
  /** From the arrival of the call to its start. */
  readonly afterMs: number;
  readonly waitMs?: number | undefined;
  readonly durationMs: number;
  readonly firstOutputMs?: number | undefined;
  readonly phase?: string | undefined;
  readonly circuit?: string | undefined;
  readonly inputTokens?: number | undefined;
  readonly outputTokens?: number | undefined;
  readonly nanoUsd?: number | undefined;
  readonly costSource?: string | undefined;
}
