import type { FailureReason } from '../../core/failure.ts';

/** One attempt as the ledger has it: no prompt, no answer, no key. Times are milliseconds since the epoch. */
export interface UsageRecord {
  /** Unique for all time, as is each `number` of it: writing the same record twice changes nothing. */
  readonly callId: string;
  /** When the attempt began. */
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly firstOutputMs?: number | undefined;
  readonly requestId: string;
  readonly method: 'Generate' | 'Chat' | 'StreamChat';
  /** Name of the caller; empty where callers are not named. */
  readonly caller: string;
  readonly group: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The attempt's number in its request, from 1, and its kind, as in the trail. */
  readonly number: number;
  readonly kind: string;
  readonly provider: string;
  readonly target: string;
  /** The model that was asked for. */
  readonly model: string;
  /** The model as the provider reported it; empty where it reported none. */
  readonly reportedModel: string;
  /** `OK`, or why it failed. */
  readonly outcome: 'OK' | FailureReason;
  readonly httpStatus?: number | undefined;
  readonly providerRequestId: string;
  /** Whether the request was answered by this attempt. */
  readonly isServing: boolean;
  readonly inputTokens?: number | undefined;
  readonly cachedInputTokens?: number | undefined;
  readonly cacheWriteTokens?: number | undefined;
  readonly outputTokens?: number | undefined;
  readonly reasoningTokens?: number | undefined;
  /** Whether any of the tokens are the gateway's estimate. */
  readonly isEstimated: boolean;
  /** The provider's word for the tier that it served; empty where it says none. */
  readonly serviceTier: string;
  /** Absent: unknown, which is never 0. */
  readonly costNanoUsd?: bigint | undefined;
  readonly costSource: 'EXACT' | 'ESTIMATED' | 'UNKNOWN';
  /** The same tokens at the provider's list price for its usual tier; absent where there is none. */
  readonly listNanoUsd?: bigint | undefined;
  readonly priceTableVersion: string;
}

/** Takes the records of ended attempts. */
export interface UsageSink {
  /**
   * Takes what makes the records of a call that has ended. They are made and written behind the calls that end in the same turn, and
   * are safe from the end of this process before any of their answers goes out. Never throws.
   */
  record(recordsOf: () => readonly UsageRecord[]): void;
  /** Writes what waits, and closes. */
  close(): Promise<void>;
}
