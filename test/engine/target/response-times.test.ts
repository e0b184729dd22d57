import { beforeEach, describe, expect, it } from 'vitest';

import { ResponseTimes } from '../../../src/engine/target/response-times.ts';
import { TIMING } from '../../support/scripted-upstream.ts';

const WHOLE = { ...TIMING, streams: false, answerMs: 20_000 };

let now: number;
let times: ResponseTimes;

beforeEach(() => {
  now = 0;
  times = new ResponseTimes(() => now);
});

function add(count: number, ms: number, streams = true): void {
  for (let index = 0; index < count; index++) times.add(streams, ms);
}

describe('the limit for the first output', () => {
  it('is the configured one below 20 samples', () => {
    add(19, 100_000);
    expect(times.limitMs(TIMING, false)).toBe(12_000);
  });

  it('is four times the 95th percentile from 20 samples on, between 10 and 120 s', () => {
    add(20, 5_000);
    expect(times.limitMs(TIMING, false)).toBeGreaterThan(4 * 5_000 * 0.9);
    expect(times.limitMs(TIMING, false)).toBeLessThan(4 * 5_000 * 1.1);
    times = new ResponseTimes(() => now);
    add(20, 100);
    expect(times.limitMs(TIMING, false)).toBe(10_000);
    times = new ResponseTimes(() => now);
    add(20, 50_000);
    expect(times.limitMs(TIMING, false)).toBe(120_000);
  });

  it('stays as a person has set it', () => {
    add(100, 50_000);
    expect(times.limitMs({ ...TIMING, firstOutputMs: 500, firstOutputAdapts: false }, true)).toBe(500);
  });

  it('is at least 30 s for the last target', () => {
    expect(times.limitMs(TIMING, true)).toBe(30_000);
    expect(times.limitMs({ ...TIMING, firstOutputMs: 120_000 }, true)).toBe(120_000);
  });

  it('has the time to read a long prompt on top, and the time to write the answer where that is not streamed', () => {
    expect(times.limitMs({ ...TIMING, promptMs: 3_000 }, false)).toBe(15_000);
    expect(times.limitMs({ ...WHOLE, promptMs: 3_000 }, false)).toBe(35_000);
    expect(times.limitMs({ ...TIMING, answerMs: 20_000 }, false)).toBe(12_000);
  });

  it('goes back to the configured one when the samples are old', () => {
    add(20, 50_000);
    now = 600_000;
    expect(times.limitMs(TIMING, false)).toBe(12_000);
  });
});

describe('the silence from which on a provider is to blame', () => {
  it('is the whole limit without data', () => {
    expect(times.blameAfterMs(TIMING, 12_000)).toBe(12_000);
  });

  it('is three times the 95th percentile, from 5 s up to the limit', () => {
    add(1, 100);
    expect(times.blameAfterMs(TIMING, 12_000)).toBe(5_000);
    expect(times.blameAfterMs(TIMING, 2_000)).toBe(2_000);
    times = new ResponseTimes(() => now);
    add(1, 3_000);
    expect(times.blameAfterMs(TIMING, 12_000)).toBeGreaterThan(3 * 3_000 * 0.9);
    expect(times.blameAfterMs(TIMING, 12_000)).toBeLessThan(3 * 3_000 * 1.1);
    add(100, 60_000);
    expect(times.blameAfterMs(TIMING, 12_000)).toBe(12_000);
  });

  it('is reckoned from whole answers where nothing is streamed', () => {
    add(50, 100);
    expect(times.blameAfterMs(WHOLE, 32_000)).toBe(32_000);
    add(50, 2_500, false);
    expect(times.blameAfterMs(WHOLE, 32_000)).toBeLessThan(3 * 2_500 * 1.1);
  });
});
