import { RowEncoder } from '../../src/ledger/journal/row-encoder.ts';
import type { UsageRecord } from '../../src/ledger/port/usage-record.ts';

/** Makes a record; what does not matter has a value that is easy to tell. */
export function usageRecord(more: Partial<UsageRecord> = {}): UsageRecord {
  return {
    callId: 'call-1',
    startedAtMs: Date.UTC(2026, 10, 30, 14, 5),
    durationMs: 812.5,
    requestId: 'request-1',
    method: 'Chat',
    caller: 'billing',
    group: 'backend',
    labels: {},
    number: 1,
    kind: 'FIRST',
    provider: 'openai',
    target: 'openai',
    model: 'gpt-6-sol',
    reportedModel: 'gpt-6-sol-2026-10-01',
    outcome: 'OK',
    httpStatus: 200,
    providerRequestId: 'req_1',
    isServing: true,
    inputTokens: 1_000,
    cachedInputTokens: 0,
    outputTokens: 100,
    reasoningTokens: 10,
    isEstimated: false,
    serviceTier: 'default',
    costNanoUsd: 2_800_000n,
    costSource: 'EXACT',
    listNanoUsd: 2_800_000n,
    priceTableVersion: '2026-11-01',
    ...more,
  };
}

/** Writes a record as the journal does. */
export function usageRow(record: UsageRecord): string {
  return new RowEncoder().encode(record);
}
