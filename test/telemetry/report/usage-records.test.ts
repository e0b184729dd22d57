import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';

import { ChatRequestSchema } from '../../../gen/understudy/v1/llm_pb.ts';
import { CostSchema, CostSource } from '../../../gen/understudy/v1/usage_pb.ts';
import type { AttemptRecord, CallSuccess } from '../../../src/engine/port/call.ts';
import type { Delta, Finish } from '../../../src/core/answer.ts';
import { describeTrail } from '../../../src/server/answers/attempt-trail.ts';
import type { CallEnd } from '../../../src/server/port/gateway-port.ts';
import { usageRecords } from '../../../src/telemetry/report/usage-records.ts';
import { failedAttempt, okAttempt } from '../ends.ts';

function endOf(attempts: readonly AttemptRecord[], estimated?: AttemptRecord['usage']): CallEnd {
  const cost = create(CostSchema, { nanoUsd: 5n, source: CostSource.EXACT, priceTableVersion: 'v1' });
  const serving = { number: 3, target: 'azure-eu', provider: 'azure-openai', model: 'm', requestedModel: 'm' };
  const result: CallSuccess<Delta, Finish> = {
    ok: true,
    serving,
    final: { reason: 'STOP', raw: 'stop' },
    outputs: [],
    usage: undefined,
    deadlineClamped: false,
    empty: false,
    attempts,
    skipsLeftOut: 0,
    elapsedMs: 1,
  };
  return {
    method: 'Chat',
    requestId: 'request-1',
    request: create(ChatRequestSchema, { labels: { team: 'red' } }),
    result,
    caller: { name: 'billing', metricName: 'billing', group: 'backend', accounts: [] },
    trail: describeTrail(
      attempts,
      ({ kind }) => (kind === 'SKIPPED' ? undefined : cost),
      () => estimated,
    ),
  };
}

describe('the records of a call', () => {
  const skipped = okAttempt({ number: 1, kind: 'SKIPPED' }).record;
  const failed = failedAttempt({}, { number: 2, startedAtWallMs: 7, durationMs: 80.123_456_7 }).record;
  const ok = okAttempt({ number: 3, kind: 'FAILOVER', providerRequestId: 'x'.repeat(300) }).record;
  const records = usageRecords(endOf([skipped, failed, ok]), 'call', ({ number }) => (number === 3 ? 6n : undefined));

  test('are one for each attempt that was made, with its cost', () => {
    expect(
      records.map(({ callId, number, kind, outcome, isServing }) => [callId, number, kind, outcome, isServing]),
    ).toEqual([
      ['call', 2, 'FIRST', 'PROVIDER_RATE_LIMITED', false],
      ['call', 3, 'FAILOVER', 'OK', true],
    ]);
    expect(records.map(({ costNanoUsd, listNanoUsd }) => [costNanoUsd, listNanoUsd])).toEqual([
      [5n, undefined],
      [5n, 6n],
    ]);
  });

  test('say who called, and are bounded in what a provider has chosen', () => {
    expect(records[0]).toMatchObject({
      caller: 'billing',
      group: 'backend',
      labels: { team: 'red' },
      startedAtMs: 7,
      durationMs: 80.123,
      httpStatus: 429,
      inputTokens: undefined,
      costSource: 'EXACT',
      priceTableVersion: 'v1',
    });
    expect(records[1]?.providerRequestId).toHaveLength(256);
    expect(records[1]).toMatchObject({ inputTokens: 100, cachedInputTokens: 40, outputTokens: 50, isEstimated: false });
  });

  test('have the tokens that the trail tells, which may be estimates', () => {
    const [record] = usageRecords(endOf([ok], { inputTokens: 9, outputTokens: 8 }), 'call', () => undefined);
    expect(record).toMatchObject({ inputTokens: 9, outputTokens: 8, isEstimated: true });
  });
});
