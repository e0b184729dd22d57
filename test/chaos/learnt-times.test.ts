import { describe, expect, onTestFinished, test } from 'vitest';

import { CircuitState } from '../../gen/understudy/v1/health_pb.ts';
import type { ChaosStage } from '../support/chaos-stage.ts';
import { ANSWERED, chaosStage, OTHER } from '../support/chaos-stage.ts';
import type { ChaosStep } from '../support/chaos-upstream.ts';
import { goodAnswer } from '../support/openai-bodies.ts';
import type { VirtualSystem } from '../support/virtual-system.ts';
import { createVirtualSystem } from '../support/virtual-system.ts';
import type { Told, Way } from '../support/ways.ts';
import { askIn, WAYS } from '../support/ways.ts';

const SILENT: ChaosStep = { do: 'await_close' };
const HURRIED = { deadlineMs: 2_000 };
const NONE: Told = { text: '', delivered: '', events: [], trail: [], attempts: [] };

interface Stage extends ChaosStage {
  readonly system: VirtualSystem;
  /** Asks so many times at once, with the lead answering after so many milliseconds; never where that is undefined. */
  ask(ms: number | undefined, count?: number): Promise<readonly Told[]>;
}

/** A stage with all limits as they are by default, on real sockets, whose time the test moves. */
async function timedStage(way: Way): Promise<Stage> {
  const system = createVirtualSystem();
  const set = await chaosStage({}, { retry: {} }, system);
  onTestFinished(async () => {
    const closed = set.gateway.close();
    await system.advance(60_000);
    await closed;
  });
  const ask = async (ms: number | undefined, count = 1): Promise<readonly Told[]> => {
    const said = Promise.withResolvers<void>();
    const until = set.lead.requestCount + count;
    const asked = Array.from({ length: count }, () => {
      set.lead.script(...(ms === undefined ? [SILENT] : [{ do: 'hold', until: said.promise } as const, ...ANSWERED]));
      return askIn(set.gateway, way, {}, HURRIED);
    });
    await set.lead.request(until - 1);
    // The slice of a call of two seconds is half of what remains: 0.975 s, less what the caller's way took.
    await system.advance(ms ?? 975);
    said.resolve();
    return Promise.all(asked);
  };
  return { ...set, system, ask };
}

async function practised(way: Way): Promise<Stage> {
  const set = await timedStage(way);
  for (const { trail } of await set.ask(300, 20)) expect(trail).toEqual(['FIRST lead OK']);
  return set;
}

describe.each(WAYS)('%s, to a target that has answered 20 calls in 0.3 s', (way) => {
  test('and falls silent: calls of 2 s are answered by the fallback, and five of them open its circuit', async () => {
    const { ask, gateway, lead, leadHealth, second } = await practised(way);
    for (let call = 0; call < 5; call++) {
      if (call > 0) second.script(...goodAnswer(true, OTHER));
      const [{ trail, delivered, attempts } = NONE] = await ask(undefined);
      expect([trail, delivered]).toEqual([['FIRST lead PROVIDER_TIMEOUT', 'FAILOVER second OK'], OTHER]);
      expect(attempts[0]?.durationMs).toBeLessThanOrEqual(975);
    }
    expect(await leadHealth()).toMatchObject({ circuit: CircuitState.OPEN, failures: 5n });
    const asked = lead.requestCount;
    second.script(...goodAnswer(true, OTHER));
    const { trail } = await askIn(gateway, way, {}, HURRIED);
    expect([trail, lead.requestCount]).toEqual([['SKIPPED lead CIRCUIT_OPEN', 'FIRST second OK'], asked]);
  });

  test('and becomes three times slower: it is neither left nor blamed', async () => {
    const { ask, leadHealth } = await practised(way);
    for (const { trail } of await ask(900, 10)) expect(trail).toEqual(['FIRST lead OK']);
    expect(await leadHealth()).toMatchObject({ circuit: CircuitState.CLOSED, failures: 0n });
  });
});

describe.each(WAYS)('%s, to a target of which nothing is known', (way) => {
  test('and that is silent: a call of 2 s is answered by the fallback in time, and nobody is blamed', async () => {
    const { ask, leadHealth } = await timedStage(way);
    const [{ trail, delivered, attempts } = NONE] = await ask(undefined);
    expect([trail, delivered]).toEqual([['FIRST lead DEADLINE', 'FAILOVER second OK'], OTHER]);
    expect(attempts[0]?.durationMs).toBeLessThanOrEqual(975);
    expect(await leadHealth()).toMatchObject({ circuit: CircuitState.CLOSED, failures: 0n });
  });
});
