import { beforeEach, describe, expect, it } from 'vitest';

import { HealthStats } from '../../../src/engine/target/health-stats.ts';

let now: number;
let stats: HealthStats;

beforeEach(() => {
  now = 1_000_000;
  stats = new HealthStats(() => now);
});

function attempt(verdict: 'success' | 'failure' | 'neutral', durationMs = 100, firstOutputMs?: number): void {
  stats.attemptStarted();
  stats.attemptEnded(verdict, durationMs, firstOutputMs, 10);
}

describe('the statistics of a target', () => {
  it('know nothing at first, which is not 100 %', () => {
    expect([stats.successRate(), stats.averageLatencyMs(), stats.latencyMs(0.5), stats.firstOutputMs(0.95)]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('have a success rate of successes among successes and failures: neutral outcomes do not count', () => {
    attempt('neutral');
    expect(stats.successRate()).toBeUndefined();
    for (let index = 0; index < 3; index++) attempt('success');
    attempt('failure');
    attempt('neutral');
    expect(stats.successRate()).toBe(0.75);
    expect([stats.requests, stats.failures, stats.tokensUsed]).toEqual([6, 1, 60]);
  });

  it('forget outcomes after a minute, and then know nothing again', () => {
    attempt('failure');
    now += 30_000;
    attempt('success');
    expect(stats.successRate()).toBe(0.5);
    now += 30_000;
    expect(stats.successRate()).toBe(1);
    now += 30_000;
    expect(stats.successRate()).toBeUndefined();
  });

  it('count attempts under way', () => {
    stats.attemptStarted();
    stats.attemptStarted();
    expect(stats.inFlight).toBe(2);
    stats.attemptEnded('neutral', 1, undefined, 0);
    expect(stats.inFlight).toBe(1);
  });

  it('take latencies from successes alone, first outputs from whoever had one', () => {
    attempt('failure', 60_000, 400);
    expect(stats.latencyMs(0.5)).toBeUndefined();
    attempt('success', 1_000);
    attempt('success', 1_000);
    expect(stats.averageLatencyMs()).toBe(1_000);
    expect(stats.latencyMs(0.5)).toBeGreaterThan(900);
    expect(stats.latencyMs(0.95)).toBeLessThan(1_100);
    expect(stats.firstOutputMs(0.95)).toBeGreaterThan(360);
    expect(stats.firstOutputMs(0.95)).toBeLessThan(440);
  });

  it('weigh the last five minutes most in the average', () => {
    attempt('success', 1_000);
    attempt('success', 3_000);
    expect(stats.averageLatencyMs()).toBe(2_000);
    now += 300_000;
    attempt('success', 1_000);
    // Two samples of e^-1 and one of 1.
    expect(stats.averageLatencyMs()).toBeCloseTo((4_000 / Math.E + 1_000) / (2 / Math.E + 1), 6);
  });
});
