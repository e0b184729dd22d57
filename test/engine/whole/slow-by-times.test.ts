import { describe, expect, it } from 'vitest';

import type { AskOptions, EngineHarness } from '../../support/engine-harness.ts';
import { createEngineHarness } from '../../support/engine-harness.ts';
import type { Script } from '../../support/upstream-scripts.ts';
import { answer, SILENCE } from '../../support/upstream-scripts.ts';

const ASKED = { timeoutMs: 60_000, timing: { streams: true } } as const;
const QUICK = answer(300, 'from a');

/** An engine whose target `a` has given its first twenty answers after 0.3 s. */
async function practised(asked: AskOptions = ASKED): Promise<EngineHarness> {
  const harness = createEngineHarness(['a', 'b']);
  harness.upstream.always('a', QUICK);
  harness.upstream.always('b', answer(300, 'from b'));
  for (let call = 0; call < 20; call++) await harness.run(['a'], asked);
  return harness;
}

/** Asks every second; each tenth call of `a` goes as the script says. Returns which calls of `a` failed, and after how many milliseconds. */
async function eachTenth(
  { ask, ended, runtime, upstream }: EngineHarness,
  requests: number,
  script: Script,
  asked: AskOptions = ASKED,
): Promise<number[]> {
  const before = ended.length;
  for (let request = 1; request <= requests; request++) {
    upstream.script('a', request % 10 === 0 ? script : QUICK);
    void ask(['a', 'b'], asked);
    await runtime.advance(1_000);
  }
  await runtime.advance(60_000);
  const failed = ended.slice(before).filter(({ entry, failure }) => entry.target === 'a' && failure !== undefined);
  return failed.map(({ durationMs }) => Math.round(durationMs));
}

describe('a target of which every tenth answer begins late, behind twenty quick ones', () => {
  it('is waited for twice as long each time, and is neither left nor blamed any more once it is known', async () => {
    const harness = await practised();
    expect(await eachTenth(harness, 300, answer(5_000, 'from a'))).toEqual([930, 1_860, 3_720]);
    expect(harness.health('a')).toMatchObject({ circuit: 'CLOSED', failures: 3 });
  });

  it('is found alive with whole answers, too, of which two are under way at a time', async () => {
    const asked = { timeoutMs: 120_000, timing: { streams: false, answerMs: 25_600 } };
    const harness = await practised(asked);
    expect(await eachTenth(harness, 100, answer(20_000, 'from a'), asked)).toEqual([12_800, 12_800]);
  });
});

describe('a target of which every tenth call stays silent', () => {
  it('is waited for up to the limit without samples, once, and then as briefly as before', async () => {
    const { ended, run, runtime, upstream } = await practised();
    const waits: number[] = [];
    for (let silence = 0; silence < 12; silence++) {
      upstream.script('a', SILENCE);
      await run(['a', 'b'], ASKED);
      waits.push(Math.round(ended.find(({ failure }) => failure !== undefined)?.durationMs ?? 0));
      ended.length = 0;
      for (let call = 0; call < 9; call++) await run(['a', 'b'], ASKED);
      await runtime.advance(20_000);
    }
    expect(waits).toEqual([930, 1_860, 3_720, 7_440, 12_000, ...Array<number>(7).fill(930)]);
  });
});

describe('a target that falls silent altogether', () => {
  it('is left as soon as ever when it has come back and falls silent again', async () => {
    const { ended, run, runtime, upstream, health } = await practised();
    for (let outage = 0; outage < 3; outage++) {
      upstream.always('a', SILENCE);
      ended.length = 0;
      for (let call = 0; call < 5; call++) await run(['a', 'b'], ASKED);
      expect(ended.filter(({ entry }) => entry.target === 'a').every(({ durationMs }) => durationMs < 931)).toBe(true);
      expect(health('a').circuit).toBe('OPEN');
      upstream.always('a', QUICK);
      await runtime.advance(31_000);
      for (let call = 0; call < 10; call++) await run(['a', 'b'], ASKED);
      expect(health('a').circuit).toBe('CLOSED');
    }
  });
});
