import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { FinishReason } from '../../../gen/understudy/v1/chat_pb.ts';
import { ErrorReason } from '../../../gen/understudy/v1/error_pb.ts';
import { AttemptKind, WarningCode } from '../../../gen/understudy/v1/routing_pb.ts';
import { CostSchema, CostSource, UsageSource } from '../../../gen/understudy/v1/usage_pb.ts';
import type { Delta } from '../../../src/core/answer.ts';
import {
  assembleMessage,
  type AnsweredCall,
  chatResponse,
  finishedEvent,
  generateResponse,
} from '../../../src/server/answers/assembled-answer.ts';
import { describeTrail, sumCosts, totalTokens } from '../../../src/server/answers/attempt-trail.ts';
import { attempt, exactCost, failure, success } from '../support/fake-gateway.ts';

function good(outputs: readonly Delta[], changes: Partial<AnsweredCall> = {}): AnsweredCall {
  const result = success(outputs, changes);
  if (!result.ok) throw new Error('not a success');
  return result;
}

const NO_TRAIL = { attempts: [], cost: undefined };
const CONTEXT = { requestId: 'id-1', requestedModel: '', trail: NO_TRAIL, warnings: [] };

describe('a message', () => {
  test('is put together by part, in the order of the indexes', () => {
    const state = new Uint8Array([1, 2]);
    const message = assembleMessage(
      [
        { kind: 'reasoning', index: 0, text: 'so ' },
        { kind: 'reasoning', index: 0, text: 'then' },
        { kind: 'tool_call', index: 2, id: 'c1', name: 'look', argumentsFragment: '{"a"' },
        { kind: 'text', index: 1, text: 'Hel' },
        { kind: 'text', index: 1, text: 'lo' },
        { kind: 'tool_call', index: 2, argumentsFragment: ':1}' },
        { kind: 'part_finished', index: 0, state },
        { kind: 'part_finished', index: 1 },
      ],
      'lead',
    );
    expect(message.content.map((part) => part.part)).toMatchObject([
      { case: 'reasoning', value: { text: 'so then' } },
      { case: 'text', value: 'Hello' },
      { case: 'toolCall', value: { id: 'c1', name: 'look', argumentsJson: '{"a":1}' } },
    ]);
    expect(message.content[0]?.providerState).toMatchObject({ target: 'lead', data: state });
    expect(message.content[1]?.providerState).toBeUndefined();
  });

  test('has reasoning without words where a provider gives only a state, and nothing where it gives nothing', () => {
    const state = new Uint8Array([1]);
    const message = assembleMessage(
      [
        { kind: 'part_finished', index: 0, state },
        { kind: 'part_finished', index: 1 },
      ],
      'lead',
    );
    expect(message.content.map((part) => part.part)).toMatchObject([{ case: 'reasoning', value: { text: '' } }]);
  });
});

describe('an answer', () => {
  test('has the fields of the standard response and those beyond it', () => {
    const records = [
      attempt({ kind: 'FIRST', failure: failure({ httpStatus: 503, providerCode: 'busy' }) }),
      attempt({ number: 2, kind: 'FAILOVER' }),
    ];
    const trail = describeTrail(records, () => exactCost(1_500_000n));
    const outputs: Delta[] = [
      { kind: 'text', index: 0, text: 'a' },
      { kind: 'reasoning', index: 1, text: 'b' },
      { kind: 'text', index: 2, text: 'c' },
    ];
    const response = chatResponse(good(outputs), { ...CONTEXT, trail });
    expect(response).toMatchObject({
      text: 'ac',
      tokensUsed: 7,
      costUsd: 0.003,
      model: 'model-1-2026',
      provider: 'openai',
      target: 'lead',
      latencyMs: 12,
      metadata: { response_id: 'resp_1' },
      finishReason: FinishReason.STOP,
      rawFinishReason: 'stop',
      requestId: 'id-1',
      usage: { inputTokens: 3, outputTokens: 4, totalTokens: 7, source: UsageSource.REPORTED },
      cost: { nanoUsd: 3_000_000n, source: CostSource.EXACT, priceTableVersion: 'v1' },
    });
    expect(response.message?.content).toHaveLength(3);
    expect(response.attempts).toMatchObject([
      {
        number: 1,
        kind: AttemptKind.FIRST,
        outcome: ErrorReason.PROVIDER_UNAVAILABLE,
        httpStatus: 503,
        providerCode: 'busy',
      },
      { number: 2, kind: AttemptKind.FAILOVER, outcome: ErrorReason.UNSPECIFIED, model: 'model-1' },
    ]);
    expect(generateResponse(good(outputs), CONTEXT)).toMatchObject({ text: 'ac', requestId: 'id-1' });
    expect(finishedEvent(good([]), CONTEXT)).toMatchObject({ requestId: 'id-1', target: 'lead' });
  });

  test('tells its times in whole microseconds', () => {
    const times = { startedAfterMs: 0.1 + 0.2, durationMs: 9.870_6, firstOutputMs: 1 / 3, waitBeforeMs: 2 / 3 };
    const trail = describeTrail([attempt(times), attempt()], () => undefined);
    const response = chatResponse(good([], { elapsedMs: 12.345_678_901_234 }), { ...CONTEXT, trail });
    expect(response.latencyMs).toBe(12.346);
    expect(response.attempts).toMatchObject([
      { startedAfterMs: 0.3, durationMs: 9.871, firstOutputMs: 0.333, waitBeforeMs: 0.667 },
      { firstOutputMs: undefined },
    ]);
  });

  test('leaves out what is unknown instead of making it 0', () => {
    const response = chatResponse(good([], { usage: undefined }), CONTEXT);
    expect(response.tokensUsed).toBeUndefined();
    expect(response.costUsd).toBeUndefined();
    expect(response.usage).toBeUndefined();
  });

  test('names the requested model where another answered', () => {
    const requested = (requestedModel: string) =>
      chatResponse(good([]), { ...CONTEXT, requestedModel }).metadata['requested_model'];
    expect(requested('other')).toBe('other');
    expect(requested('model-1')).toBeUndefined();
    expect(requested('lead/model-1')).toBeUndefined();
    expect(requested('')).toBeUndefined();
  });

  test('warns of a shortened deadline and of an empty answer', () => {
    const response = chatResponse(good([], { deadlineClamped: true, empty: true }), CONTEXT);
    expect(response.warnings.map((warning) => warning.code)).toEqual([
      WarningCode.DEADLINE_CLAMPED,
      WarningCode.EMPTY_OUTPUT,
    ]);
  });
});

describe('an answer that may lack something', () => {
  test.each([
    ['unknown_finish_reason', WarningCode.UNKNOWN_FINISH_REASON],
    ['unknown_output', WarningCode.OUTPUT_DROPPED],
  ] as const)('comes with a warning: %s', (doubt, code) => {
    const final = { reason: 'OTHER', raw: '', doubts: [doubt] } as const;
    expect(chatResponse(good([], { final }), CONTEXT).warnings).toMatchObject([{ code, target: 'lead' }]);
    expect(finishedEvent(good([], { final }), CONTEXT).warnings).toMatchObject([{ code }]);
  });
});

describe('sums', () => {
  const cost = (nanoUsd: bigint | undefined, source: CostSource) =>
    create(CostSchema, { source, ...(nanoUsd === undefined ? {} : { nanoUsd }) });

  test('costs: one unknown makes all unknown, one estimate an estimate, none is nothing', () => {
    const { EXACT, ESTIMATED, UNKNOWN } = CostSource;
    expect(sumCosts([])).toBeUndefined();
    expect(sumCosts([cost(1n, EXACT), cost(2n, EXACT)])).toMatchObject({ nanoUsd: 3n, source: EXACT });
    expect(sumCosts([cost(1n, EXACT), cost(2n, ESTIMATED)])).toMatchObject({ nanoUsd: 3n, source: ESTIMATED });
    const unknown = sumCosts([cost(1n, EXACT), cost(undefined, UNKNOWN)]);
    expect(unknown?.nanoUsd).toBeUndefined();
    expect(unknown?.source).toBe(UNKNOWN);
  });

  test('tokens: as reported, else input and output, else unknown', () => {
    expect(totalTokens({ inputTokens: 1, outputTokens: 2, totalTokens: 9 })).toBe(9);
    expect(totalTokens({ inputTokens: 1, outputTokens: 2 })).toBe(3);
    expect(totalTokens({ inputTokens: 1 })).toBeUndefined();
    expect(totalTokens(undefined)).toBeUndefined();
  });
});
