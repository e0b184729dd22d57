import { describe, expect, test } from 'vitest';

import { LEAD_WORDS, SECOND_WORDS, textOfWords } from '../support/failover-bench/bench-answers.ts';
import { flaps } from '../support/failover-bench/bench-faults.ts';
import { errorAnswer } from '../support/openai-bodies.ts';
import type { BenchStage, BenchWay, TimedCall } from '../support/failover-bench/bench-stage.ts';
import { benchStage } from '../support/failover-bench/bench-stage.ts';
import { FORMS, OPENAI } from '../support/failover-bench/wire-forms.ts';

/** The sequence of the bench: twenty calls, one every 4 s, each of which may take 30 s. */
const CALLS = 20;
const EVERY_MS = 4_000;
const DEADLINE_MS = 30_000;
/** Within which the first target is to have its calls again, once it is well. */
const MOST_BACK_MS = 30_000;
/** So many failures open a circuit; until then each call may ask twice. */
const OPENING_FAILURES = 5;
const WAYS: readonly BenchWay[] = ['streamed', 'unary'];

/** The bench's outage takes 60 s. What looks every half minute finds the end of some at once, and misses that of others. */
const OUTAGES_MS = [20_000, 41_000, 55_000, 60_000];

describe.each(OUTAGES_MS)('S15 the first target answers 503 for %i ms', (downMs) => {
  describe.each(FORMS)('$name', (form) => {
    test.each(WAYS)('%s: every call is answered, and the first target is found again', async (way) => {
      const stage = await benchStage(form, { lead: flaps(downMs) });
      await isFoundAgain(stage, way, downMs);
    });

    test('also where its list of models is down with it', async () => {
      const list = (atMs: number) => errorAnswer(atMs < downMs ? 503 : 404, 'overloaded');
      await isFoundAgain(await benchStage(form, { lead: flaps(downMs) }, list), 'streamed', downMs);
    });
  });
});

async function isFoundAgain(stage: BenchStage, way: BenchWay, downMs: number): Promise<void> {
  const calls = await sequence(stage, way, DEADLINE_MS);
  expect(calls.map(({ text }) => text)).toEqual(
    calls.map(({ answer }) => textOfWords(answer?.target === 'lead' ? LEAD_WORDS : SECOND_WORDS)),
  );
  const byLead = calls.filter(({ answer }) => answer?.target === 'lead');
  const backAfterMs = Math.min(...byLead.map(({ askedAtMs }) => askedAtMs)) - downMs;
  expect(backAfterMs).toBeLessThanOrEqual(MOST_BACK_MS);
  // Once it is back it stays.
  expect(calls.at(-1)?.answer?.target).toBe('lead');
  const duringOutage = calls.filter(({ askedAtMs }) => askedAtMs < downMs).length;
  const intoTheDead = stage.leadAskedAtMs.filter((atMs) => atMs < downMs).length;
  expect(intoTheDead).toBeLessThanOrEqual(duringOutage + OPENING_FAILURES);
  const tookMs = Math.max(...calls.map((call) => call.tookMs));
  expect(tookMs).toBeLessThan(4_000);
}

describe.each(OUTAGES_MS)('S15 the only target answers 503 for %i ms', (downMs) => {
  test.each(WAYS)('%s: who comes when it is well again, with a minute to spare, is answered', async (way) => {
    const stage = await benchStage(OPENAI, { lead: flaps(downMs) });
    const calls = await sequence(stage, way, 60_000, ['lead']);
    const behind = calls.filter(({ askedAtMs }) => askedAtMs >= downMs);
    expect(behind.map(({ text, error }) => error?.reason ?? text)).toEqual(behind.map(() => textOfWords(LEAD_WORDS)));
    expect(stage.second.connectionCount).toBe(0);
  });
});

interface SequenceCall extends TimedCall {
  readonly askedAtMs: number;
}

async function sequence(
  stage: BenchStage,
  way: BenchWay,
  deadlineMs: number,
  targets: readonly string[] = [],
): Promise<readonly SequenceCall[]> {
  const calls: SequenceCall[] = [];
  for (let index = 0; index < CALLS; index += 1) {
    await stage.passTo(index * EVERY_MS);
    const askedAtMs = stage.nowMs();
    calls.push({ ...(await stage.ask(way, { deadlineMs, targets })), askedAtMs });
  }
  return calls;
}
