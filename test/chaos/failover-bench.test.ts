import { describe, expect, test } from 'vitest';

import { UsageSource } from '../../gen/understudy/v1/usage_pb.ts';
import type { BenchFault } from '../support/failover-bench/bench-faults.ts';
import { LEAD_WORDS, SECOND_WORDS, textOfWords } from '../support/failover-bench/bench-answers.ts';
import { BENCH_FAULTS } from '../support/failover-bench/bench-faults.ts';
import type { BenchStage, TimedCall } from '../support/failover-bench/bench-stage.ts';
import { BENCH_WAYS, benchStage } from '../support/failover-bench/bench-stage.ts';
import { FORMS } from '../support/failover-bench/wire-forms.ts';

// Failover Bench (github.com/failoverbench/failoverbench, methodology 0.1) by its numbers; S15 is in `flapping-lead.test.ts`.
describe.each(FORMS)('$name', (form) => {
  describe.each(BENCH_WAYS)('%s', (way) => {
    test.each(BENCH_FAULTS)('$id $name', async (fault) => {
      const stage = await benchStage(form, fault);
      const call = await stage.ask(way, fault);
      const isUnseen = way === 'unary, from JSON';
      checkTime(call, fault, isUnseen);
      checkConduct(stage, fault);
      if (fault.answeredBy === 'nobody') {
        expect(call.error).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'PROMPT_BLOCKED' });
        expect([call.text, stage.second.requestCount]).toEqual(['', 0]);
      } else {
        checkAnswer(call, fault, isUnseen);
      }
      checkTrail(call, stage);
      // The gateway is well afterwards.
      const after = await stage.ask(way, { deadlineMs: 10_000, targets: ['second'] });
      expect(after.text).toBe(textOfWords(SECOND_WORDS));
    });
  });
});

function checkTime({ tookMs }: TimedCall, fault: BenchFault, isUnseen: boolean): void {
  const { withinMs, withinMsUnseen = withinMs, deadlineMs } = fault;
  expect(tookMs).toBeLessThan(Math.min(deadlineMs, isUnseen ? withinMsUnseen : withinMs));
}

/** What the sick target sees. */
function checkConduct({ lead, leadAskedAtMs }: BenchStage, { asked: [least, most], leastGapMs = 0 }: BenchFault): void {
  expect(lead.requestCount).toBeGreaterThanOrEqual(least);
  expect(lead.requestCount).toBeLessThanOrEqual(most);
  const [first = 0, next = Number.POSITIVE_INFINITY] = leadAskedAtMs;
  expect(next - first).toBeGreaterThanOrEqual(leastGapMs);
}

/** The whole answer, once, by who it says, with its usage. */
function checkAnswer(call: TimedCall, fault: BenchFault, isUnseen: boolean): void {
  const { answer, text, error } = call;
  expect(error).toBeUndefined();
  // Where nothing tells slow from dead, to wait and to leave are both right.
  const isEither = isUnseen && fault.withinMsUnseen !== undefined;
  const target = isEither ? answer?.target : fault.answeredBy;
  expect(answer?.target).toBe(target);
  expect(text).toBe(textOfWords(target === 'lead' ? LEAD_WORDS : SECOND_WORDS));
  expect(answer?.usage).toMatchObject({ inputTokens: 9, outputTokens: 3, source: UsageSource.REPORTED });
}

/** Every call of an upstream is in the trail, and the bill is their sum; who was overloaded has charged nothing. */
function checkTrail({ attempts, answer }: TimedCall, { lead, second }: BenchStage): void {
  const asked = (target: string): number => attempts.filter((attempt) => attempt.target === target).length;
  expect([asked('lead'), asked('second')]).toEqual([lead.requestCount, second.requestCount]);
  for (const { httpStatus = 0, cost } of attempts) {
    if (httpStatus === 429 || httpStatus >= 500) expect(cost?.nanoUsd ?? 0n).toBe(0n);
  }
  if (answer === undefined) return;
  const sum = attempts.reduce((total, { cost }) => total + (cost?.nanoUsd ?? 0n), 0n);
  expect(answer.cost?.nanoUsd).toBe(sum);
  expect(attempts.at(-1)?.cost?.nanoUsd).toBe(15_000n);
}
