import { beforeEach, describe, expect, it } from 'vitest';

import type { AttemptTiming } from '../../../../src/engine/port/attempt-timing.ts';
import { ResponseTimes } from '../../../../src/engine/target/times/response-times.ts';
import { TIMING } from '../../../support/scripted-upstream.ts';

const WHOLE = { ...TIMING, streams: false, answerMs: 20_000 };
const THINKING = { ...TIMING, mayThink: true, firstOutputMs: 120_000 };

let now: number;
let times: ResponseTimes;

beforeEach(() => {
  now = 0;
  times = new ResponseTimes(() => now);
});

function add(count: number, ms: number, timing: AttemptTiming = TIMING): void {
  for (let index = 0; index < count; index++) {
    if (timing.streams) times.began(timing, ms);
    else times.completed(timing, ms);
  }
}

function limitMs(timing: AttemptTiming = TIMING, isLast = false): number {
  return times.limits(timing, isLast).firstOutputMs;
}

function withPrompt(promptTokens: number, promptMs = 0): AttemptTiming {
  return { ...TIMING, promptTokens, promptMs };
}

describe('the limit for the first output', () => {
  it('is the configured one below 20 samples', () => {
    add(19, 100);
    expect(limitMs()).toBe(12_000);
    add(1, 100);
    expect(limitMs()).toBe(900);
  });

  it('is 3.1 times the 95th percentile from 20 samples on, between 0.9 and 120 s', () => {
    add(19, 5_000);
    add(1, 6_000);
    expect(limitMs()).toBe(15_500);
    times = new ResponseTimes(() => now);
    add(20, 290);
    expect(limitMs()).toBe(900);
    times = new ResponseTimes(() => now);
    add(20, 50_000);
    expect(limitMs()).toBe(120_000);
  });

  it('is no less than one and a half times the 99th percentile, which below 100 samples is the longest', () => {
    add(39, 300);
    add(1, 8_000);
    expect(limitMs()).toBe(12_000);
    add(87, 300);
    expect(limitMs()).toBe(930);
  });

  it('never cuts a model that is known to think for longer than any limit', () => {
    add(20, 90_000, THINKING);
    expect(limitMs(THINKING)).toBe(135_000);
  });

  it('never does so where the head comes with the first words, and leaves who has sent no head elsewhere', () => {
    const silent = { ...THINKING, firstOutputMs: 180_000, noHeadMs: 120_000, headAloneMs: 40_000, signsAreSure: true };
    add(20, 100_000, silent);
    const withWords = { ...silent, headComesWithWords: true };
    expect(times.limits(withWords, false)).toMatchObject({ noHeadMs: 150_000, headAloneMs: 40_000 });
    expect(times.limits(silent, false).noHeadMs).toBe(120_000);
  });

  it('is 10 s at least for who may think: how long that takes is in the question', () => {
    add(20, 300, THINKING);
    expect(limitMs(THINKING)).toBe(10_000);
    expect(limitMs()).toBe(12_000);
  });

  it('stays as a person has set it', () => {
    add(100, 50_000);
    expect(limitMs({ ...TIMING, firstOutputMs: 500, firstOutputAdapts: false }, true)).toBe(500);
  });

  it('is at least 30 s for the last target', () => {
    expect(limitMs(TIMING, true)).toBe(30_000);
    expect(limitMs({ ...TIMING, firstOutputMs: 120_000 }, true)).toBe(120_000);
    add(20, 300);
    expect(limitMs(TIMING, true)).toBe(30_000);
    expect(times.limits(TIMING, true).blameAfterMs).toBeCloseTo(930);
  });

  it('has the time to read a long prompt on top, and the time to write the answer where that is not streamed', () => {
    expect(limitMs({ ...TIMING, promptMs: 3_000 })).toBe(15_000);
    expect(limitMs({ ...WHOLE, promptMs: 3_000 })).toBe(35_000);
    expect(limitMs({ ...TIMING, answerMs: 20_000 })).toBe(12_000);
    add(20, 1_000, withPrompt(40_000));
    expect(limitMs(withPrompt(40_000, 4_000))).toBe(5_000);
    expect(times.limits(withPrompt(40_000, 4_000), false)).toMatchObject({
      blameAfterMs: 5_000,
      suspectAfterMs: 5_000,
    });
  });

  it('is learnt from whole answers where nothing is streamed, and leaves room for a long one', () => {
    add(50, 100);
    expect(limitMs(WHOLE)).toBe(32_000);
    add(50, 1_000, WHOLE);
    expect(limitMs(WHOLE)).toBe(10_000);
    add(50, 6_000, WHOLE);
    expect(limitMs(WHOLE)).toBe(18_600);
  });

  it('goes back to the configured one when the samples are ten minutes old', () => {
    add(20, 3_000);
    for (now = 0; now < 600_000; now += 100_000) expect(limitMs()).toBe(9_300);
    now = 600_000;
    expect(limitMs()).toBe(12_000);
  });

  it('goes back to the configured one when nobody has asked for five minutes', () => {
    limitMs();
    add(20, 3_000);
    now = 299_999;
    expect(limitMs()).toBe(9_300);
    now += 300_000;
    expect(limitMs()).toBe(12_000);
    now += 1;
    expect(limitMs()).toBe(12_000);
  });
});

describe('the 95th percentile', () => {
  it('is unknown again when nobody has asked for five minutes', () => {
    add(20, 300);
    now = 299_999;
    expect(times.p95Ms(TIMING)).toBe(300);
    now = 300_000;
    expect(times.p95Ms(TIMING)).toBeUndefined();
  });
});

describe('the size of the prompt', () => {
  it('has times of its own, from 500, 2,000, 8,000, 32,000 and 128,000 tokens on', () => {
    for (const tokens of [500, 2_000, 8_000, 32_000, 128_000]) {
      times = new ResponseTimes(() => now);
      add(20, 1_000, withPrompt(tokens - 1));
      expect(limitMs(withPrompt(tokens - 1))).toBe(3_100);
      expect(limitMs(withPrompt(tokens))).toBe(12_000);
    }
  });

  it('of which nothing is known may take what a larger one takes, and never what a smaller one does', () => {
    add(20, 2_000, withPrompt(10_000));
    expect(limitMs(withPrompt(100))).toBe(6_200);
    expect(limitMs(withPrompt(40_000))).toBe(12_000);
    expect(times.limits(withPrompt(40_000), false).suspectAfterMs).toBe(Infinity);
  });

  it('gives who is larger than what was measured in its class so much more time', () => {
    add(20, 5_000, withPrompt(2_000));
    expect(limitMs(withPrompt(2_000))).toBe(15_500);
    expect(limitMs(withPrompt(7_000))).toBe(46_500);
    expect(times.limits(withPrompt(7_000), false)).toMatchObject({ blameAfterMs: 46_500, suspectAfterMs: 22_500 });
  });
});

describe('the silence from which on a provider is to blame', () => {
  const blameAfterMs = (timing: AttemptTiming = TIMING): number => times.limits(timing, false).blameAfterMs;

  it('is the whole limit without data', () => {
    expect(blameAfterMs()).toBe(12_000);
  });

  it('is three times the 95th percentile below 20 samples, from 5 s up to the limit', () => {
    add(1, 100);
    expect(blameAfterMs()).toBe(5_000);
    expect(blameAfterMs({ ...TIMING, firstOutputMs: 2_000 })).toBe(2_000);
    add(1, 3_000);
    expect(blameAfterMs()).toBe(9_000);
    add(1, 60_000);
    expect(blameAfterMs()).toBe(12_000);
  });

  it('is the learnt limit, without the 5 s, from 20 samples on', () => {
    add(20, 300);
    expect(blameAfterMs()).toBeCloseTo(930);
    expect(blameAfterMs({ ...TIMING, firstOutputMs: 60_000, firstOutputAdapts: false })).toBeCloseTo(930);
  });
});

describe('suspicion', () => {
  const suspectAfterMs = (): number => times.limits(TIMING, false).suspectAfterMs;

  it('begins at one and a half times the 95th percentile, at 0.3 s at the earliest, and never where nothing is known', () => {
    add(19, 600);
    expect(suspectAfterMs()).toBe(Infinity);
    add(1, 600);
    expect(suspectAfterMs()).toBe(900);
    times = new ResponseTimes(() => now);
    add(20, 100);
    expect(suspectAfterMs()).toBe(300);
  });

  it('outlives the samples from the third silence in a row on, until something is heard', () => {
    add(20, 600);
    expect(times.silences.silent(0, 900, 900)).toBe(false);
    expect(times.silences.silent(900, 1_800, 900)).toBe(false);
    now = 700_000;
    expect(suspectAfterMs()).toBe(Infinity);
    expect(times.silences.silent(1_800, 2_700, 900)).toBe(true);
    expect(suspectAfterMs()).toBe(900);
    add(1, 600);
    expect(suspectAfterMs()).toBe(Infinity);
  });

  it('counts what many callers see of one pause once', () => {
    add(20, 600);
    for (let caller = 0; caller < 10; caller++) expect(times.silences.silent(caller, 1_000 + caller, 900)).toBe(false);
    expect(times.silences.silent(1_000, 2_000, 900)).toBe(false);
    expect(times.silences.silent(2_000, 3_000, 900)).toBe(true);
    expect(times.silences.silent(2_001, 3_001, 900)).toBe(true);
  });
});

describe('probes that fail by silence', () => {
  it('let the next wait twice as long, at most four times, until a first output', () => {
    add(20, 300);
    const limits = [1, 2, 3, 4].map(() => {
      const limit = limitMs();
      times.silences.probeFailed();
      return limit;
    });
    expect(limits.map((limit) => Math.round(limit))).toEqual([930, 1_860, 3_720, 3_720]);
    add(1, 300);
    expect(limitMs()).toBeCloseTo(930);
  });

  it('have what was measured forgotten where a longer wait finds the target alive', () => {
    add(40, 300);
    times.silences.probeFailed();
    add(1, 1_500);
    expect(limitMs()).toBe(12_000);
    add(19, 1_500);
    expect(limitMs()).toBe(4_650);
  });
});
