import { describe, expect, it } from 'vitest';

import { planCall } from './call-script.ts';
import { paceMs } from './pace.ts';
import { timingOf } from './sim-config.ts';
import type { SimRequest, Tape } from './tape.ts';
import { PLAIN } from './tape.ts';
import { usualTape } from './random-tape.ts';

const ASKED: SimRequest = { ...PLAIN, id: 1, atMs: 0, chain: ['a'], timeoutMs: 60_000, streams: true };

const TAPE: Tape = {
  ...usualTape(1),
  faults: [],
  paceMs: { a: 400 },
  readMsPerToken: 0.1,
};

/** When things happen in a call that begins now, since its opening. */
function timesMs(more: Partial<SimRequest>, streams = true): Record<'headers' | 'output', number> {
  const asked = { ...ASKED, ...more };
  const site = {
    tape: TAPE,
    asked,
    target: 'a',
    nth: 0,
    clientTry: 0,
    nowMs: 0,
    callId: 1,
    streams,
    isWrittenFor: false,
  };
  const { script } = planCall(site);
  const at = (type: string): number =>
    script
      .slice(0, script.findIndex(({ event }) => event.type === type) + 1)
      .reduce((sum, { afterMs }) => sum + afterMs, 0);
  return { headers: at('headers'), output: at('output') };
}

describe('the pace of a target', () => {
  it('is the same at all times unless it drifts, then straight from each moment to the next', () => {
    expect(paceMs(TAPE, ASKED, 'a', 1_000_000)).toBe(400);
    const drifts = {
      a: [
        { atMs: 10_000, paceMs: 400 },
        { atMs: 20_000, paceMs: 6_400 },
        { atMs: 30_000, paceMs: 6_400 },
        { atMs: 40_000, paceMs: 400 },
      ],
    };
    const paces = [0, 10_000, 12_500, 20_000, 25_000, 35_000, 40_000, 90_000].map((nowMs) =>
      paceMs({ ...TAPE, drifts }, ASKED, 'a', nowMs),
    );
    expect(paces).toEqual([400, 400, 1_900, 6_400, 6_400, 3_400, 400, 400]);
  });

  it('is slower by the reading of a prompt', () => {
    expect(paceMs(TAPE, { ...ASKED, promptTokens: 200_000 }, 'a', 0)).toBe(20_400);
    expect(timesMs({ promptTokens: 200_000 }).output).toBeGreaterThan(0.6 * 20_400);
  });
});

describe('a request that is thought over', () => {
  it('gets its headers as soon as another, and its first words later by what it thinks', () => {
    const [usual, thinking] = [timesMs({}), timesMs({ thinkMs: 90_000 })];
    expect(thinking.headers).toBe(usual.headers);
    expect(thinking.output).toBe(usual.output + 90_000);
  });

  it('gets nothing at all before that where the answer is not streamed', () => {
    expect(timesMs({ thinkMs: 90_000 }, false).headers).toBe(timesMs({}, false).headers + 90_000);
  });

  it('has the timers that production gives to reasoning, and long prompts more time', () => {
    expect(timingOf(ASKED)).toMatchObject({ firstOutputMs: 12_000, promptMs: 0, progressMs: 30_000 });
    expect(timingOf({ ...ASKED, thinkMs: 90_000 })).toMatchObject({ firstOutputMs: 180_000, progressMs: 180_000 });
    expect(timingOf({ ...ASKED, promptTokens: 200_000 })).toMatchObject({ promptMs: 20_000 });
  });
});
