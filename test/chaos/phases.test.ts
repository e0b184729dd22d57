import { describe, expect, test } from 'vitest';

import { CircuitState } from '../../gen/understudy/v1/health_pb.ts';
import { ANSWERED, BEGINNING, BEGUN, chaosStage, OTHER, SAID, USAGE, WHOLE } from '../support/chaos-stage.ts';
import type { ChaosStep } from '../support/chaos-upstream.ts';
import { chunk } from '../support/chaos-upstream.ts';
import type { Fault, Phase } from '../support/faults.ts';
import { FAULTS, PHASES } from '../support/faults.ts';
import { ROLE_EVENT, STREAM_END, STREAM_HEAD } from '../support/openai-bodies.ts';
import { askIn, WAYS } from '../support/ways.ts';
import { REAL_TIME } from '../support/real-time.ts';

const DONE = 'data: [DONE]\n\n';

/** What the lead has said when the fault comes. */
const SO_FAR = {
  'before headers': [],
  'before the first words': [STREAM_HEAD, chunk(ROLE_EVENT)],
  'after two thirds': BEGUN,
  'after the end marker': [...SAID, chunk(STREAM_END.slice(0, -DONE.length))],
} as const satisfies Record<Phase, readonly ChaosStep[]>;

/** Short limits where only they end the fault, long ones otherwise, so that none of them does. */
function timeoutsOf({ isSilence }: Fault) {
  return isSilence === true ? { first_output: '200ms', progress: '200ms' } : {};
}

const CASES = FAULTS.flatMap((fault) => (fault.phases ?? PHASES).map((phase) => ({ name: fault.name, phase, fault })));
const EARLY = CASES.filter(({ phase }) => phase === 'before headers' || phase === 'before the first words');
const MIDDLE = CASES.filter(({ phase }) => phase === 'after two thirds');
const LATE = CASES.filter(({ phase }) => phase === 'after the end marker');

describe.each(WAYS)('%s, a fault of the lead', REAL_TIME, (way) => {
  test.each(EARLY)('$phase: after $name the second target answers', async ({ phase, fault }) => {
    const { steps, outcome, isRepeated = false, isBlamed = true } = fault;
    const { lead, second, gateway, leadHealth } = await chaosStage({ timeouts: timeoutsOf(fault) });
    const calls = isRepeated ? 2 : 1;
    for (let count = 0; count < calls; count += 1) lead.script(...SO_FAR[phase], ...steps);
    const told = await askIn(gateway, way);
    const again = isRepeated ? [`RETRY lead ${outcome}`] : [];
    expect(told.trail).toEqual([`FIRST lead ${outcome}`, ...again, 'FAILOVER second OK']);
    expect(told.delivered).toBe(OTHER);
    expect(told.answer).toMatchObject({ target: 'second', provider: 'openai', usage: USAGE, warnings: [] });
    expect([lead.requestCount, second.requestCount]).toEqual([calls, 1]);
    const { failures, circuit } = await leadHealth();
    expect([failures, circuit]).toEqual([isBlamed ? BigInt(calls) : 0n, CircuitState.CLOSED]);
    if (outcome !== 'PROVIDER_UNAVAILABLE') await lead.allClosed();
  });

  test.each(MIDDLE)('$phase: after $name the answer is whole or explicitly broken', async ({ phase, fault }) => {
    const { steps, outcome, isBlamed = true } = fault;
    const { lead, second, gateway, leadHealth } = await chaosStage({ timeouts: timeoutsOf(fault) });
    lead.script(...SO_FAR[phase], ...steps);
    const told = await askIn(gateway, way);
    if (way === 'StreamChat') {
      expect(told.error).toMatchObject({ code: 'ABORTED', reason: 'STREAM_INTERRUPTED', pushback: '-1' });
      expect(told.trail).toEqual(['FIRST lead STREAM_INTERRUPTED']);
      expect(told.delivered).toBe(BEGINNING);
    } else {
      const isUnary = way === 'Chat';
      expect(told.trail).toEqual(
        isUnary
          ? [`FIRST lead ${outcome}`, 'FAILOVER second OK']
          : ['FIRST lead STREAM_INTERRUPTED', 'RESTART second OK'],
      );
      expect(told.text).toBe(OTHER);
      expect(told.delivered).toBe(isUnary ? OTHER : BEGINNING + OTHER);
      expect(told.answer).toMatchObject({ target: 'second', usage: USAGE });
    }
    expect([lead.requestCount, second.requestCount]).toEqual([1, way === 'StreamChat' ? 0 : 1]);
    expect((await leadHealth()).failures).toBe(isBlamed ? 1n : 0n);
    if (outcome !== 'PROVIDER_UNAVAILABLE') await lead.allClosed();
  });

  test.each(LATE)('$phase: $name takes nothing back', async ({ phase, fault }) => {
    const { steps } = fault;
    const { lead, second, gateway, leadHealth } = await chaosStage({ timeouts: timeoutsOf(fault) });
    lead.script(...SO_FAR[phase], ...steps);
    const told = await askIn(gateway, way);
    expect(told.trail).toEqual(['FIRST lead OK']);
    expect(told.delivered).toBe(WHOLE);
    expect(told.answer).toMatchObject({ target: 'lead', usage: USAGE, warnings: [] });
    expect([lead.requestCount, second.requestCount]).toEqual([1, 0]);
    expect((await leadHealth()).failures).toBe(0n);
  });

  test('that never comes: the lead answers, and its connection is used again', async () => {
    const { lead, gateway } = await chaosStage();
    for (let count = 0; count < 2; count += 1) {
      lead.script(...ANSWERED);
      const told = await askIn(gateway, way);
      expect([told.trail, told.delivered]).toEqual([['FIRST lead OK'], WHOLE]);
    }
    expect(lead.connectionCount).toBe(1);
  });
});
