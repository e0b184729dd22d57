import { beforeEach, describe, expect, it } from 'vitest';

import { BreakerBench } from './breaker-bench.ts';

let bench: BreakerBench;

beforeEach(() => {
  bench = new BreakerBench();
});

describe('a closed circuit', () => {
  it('opens with the fifth failure within 60 s, not with the fourth', () => {
    bench.calls(4, 'failure');
    expect(bench.state).toBe('CLOSED');
    bench.call('failure', 59_999);
    expect(bench.state).toBe('OPEN');
    expect(bench.ask()).toBeUndefined();
  });

  it('does not count a failure that is exactly 60 s old', () => {
    bench.calls(4, 'failure');
    bench.call('failure', 60_000);
    expect(bench.state).toBe('CLOSED');
  });

  it('slides its window: of seven failures the last five open it, as soon as they lie in it', () => {
    for (let index = 0; index < 4; index++) bench.call('failure', 25_000);
    bench.call('failure', 5_000);
    bench.call('failure', 5_000);
    expect(bench.state).toBe('CLOSED');
    bench.call('failure', 5_000);
    expect(bench.state).toBe('OPEN');
  });

  it('is not opened by neutral outcomes, nor kept closed by them', () => {
    bench.calls(1_000, 'neutral');
    bench.calls(4, 'failure');
    bench.calls(1_000, 'neutral');
    expect(bench.state).toBe('CLOSED');
    bench.call('failure');
    expect(bench.state).toBe('OPEN');
  });

  it('does not forget failures because of successes in between', () => {
    for (let index = 0; index < 4; index++) {
      bench.call('failure');
      bench.call('success', 1);
    }
    bench.call('failure');
    expect(bench.state).toBe('OPEN');
  });

  it('counts a failure only where its request has none among those of this generation', () => {
    const asked: number[] = [];
    const counts = (circuit: object, generation: number): boolean => {
      expect(circuit).toBe(bench.breaker);
      asked.push(generation);
      return asked.length > 3;
    };
    for (let index = 0; index < 7; index++) bench.acquire().settle('failure', { counts });
    expect([bench.state, asked.length]).toEqual(['CLOSED', 7]);
    bench.acquire().settle('failure', { counts });
    expect(bench.state).toBe('OPEN');
    bench.call('success', 30_000);
    bench.acquire().settle('failure', { counts });
    expect(new Set(asked)).toEqual(new Set([0, 3]));
  });

  it('opens at once with the failure of a probe, whatever its request has done before', () => {
    bench.calls(5, 'failure');
    bench.now += 30_000;
    bench.acquire().settle('failure', { counts: () => false });
    expect(bench.state).toBe('OPEN');
  });

  it('is suspect from its first failure on, until a call that was begun later has succeeded, or for 60 s', () => {
    expect(bench.breaker.isSuspect).toBe(false);
    const old = bench.acquire();
    bench.now += 1;
    bench.call('failure');
    old.settle('success');
    expect(bench.breaker.isSuspect).toBe(true);
    bench.call('neutral', 1);
    expect(bench.breaker.isSuspect).toBe(true);
    bench.call('success', 1);
    expect(bench.breaker.isSuspect).toBe(false);
    bench.call('failure', 1);
    bench.now += 59_999;
    expect(bench.breaker.isSuspect).toBe(true);
    bench.now += 1;
    expect(bench.breaker.isSuspect).toBe(false);
  });

  it('breaker-idle-forgets: what happened before an idle hour does not count', () => {
    bench.calls(4, 'failure');
    bench.now += 3_600_000;
    bench.calls(4, 'failure');
    expect(bench.state).toBe('CLOSED');
  });

  it('throttle-window-longer-than-call: calls that last longer than the window count when they end', () => {
    const slow = Array.from({ length: 5 }, () => bench.acquire());
    bench.now += 90_000;
    for (const permit of slow) permit.settle('failure');
    expect(bench.state).toBe('OPEN');
  });

  it('counts a permit only once', () => {
    const permit = bench.acquire();
    for (let index = 0; index < 10; index++) permit.settle('failure');
    expect(bench.state).toBe('CLOSED');
  });

  it('takes as many failures, as long a window and as long a cooldown as it is told', () => {
    bench = new BreakerBench({ failures: 2, windowMs: 1_000, cooldownMs: 500 });
    bench.call('failure');
    bench.call('failure', 1_000);
    expect(bench.state).toBe('CLOSED');
    bench.call('failure', 999);
    expect(bench.state).toBe('OPEN');
    expect(bench.refusesForMs).toBe(500);
  });
});

describe('the volume guard', () => {
  it('keeps a busy circuit closed through failures that are less than 5 % of its calls', () => {
    bench.calls(180, 'success');
    bench.scattered(9);
    expect(bench.state).toBe('CLOSED');
  });

  it('opens a busy circuit whose failures are 5 % of its calls', () => {
    bench.calls(181, 'success');
    bench.scattered(10);
    expect(bench.state).toBe('OPEN');
  });

  it('does not look at shares up to a hundred verdicts', () => {
    bench.calls(91, 'success');
    bench.scattered(5);
    expect(bench.state).toBe('OPEN');
    bench = new BreakerBench({ failures: 2 });
    bench.calls(97, 'success');
    bench.scattered(2);
    expect(bench.state).toBe('OPEN');
    bench = new BreakerBench();
    bench.calls(92, 'success');
    bench.scattered(5);
    expect(bench.state).toBe('CLOSED');
  });

  it('lets five failures in a row open a circuit however busy it is', () => {
    bench.calls(3_000, 'success');
    bench.now += 1;
    bench.calls(5, 'failure');
    expect(bench.state).toBe('OPEN');
  });

  it('does not take a late success of an old attempt for a sign of life', () => {
    bench.calls(3_000, 'success');
    bench.now += 1;
    const early = bench.acquire();
    bench.calls(4, 'failure');
    bench.now += 1;
    early.settle('success');
    bench.call('failure');
    expect(bench.state).toBe('OPEN');
  });

  it('inflight-not-in-ratio: calls under way are no successes', () => {
    bench.calls(60, 'success');
    const inFlight = Array.from({ length: 1_000 }, () => bench.acquire());
    bench.scattered(5);
    expect(bench.state).toBe('OPEN');
    for (const permit of inFlight) permit.settle('success');
    expect(bench.state).toBe('OPEN');
  });

  it('can be switched off', () => {
    bench = new BreakerBench({ guard: false });
    bench.calls(3_000, 'success');
    bench.scattered(5);
    expect(bench.state).toBe('OPEN');
  });
});

describe('an open circuit', () => {
  it('refuses for 30 s and lets a probe through at the first moment after', () => {
    bench.calls(5, 'failure');
    bench.now += 29_999;
    expect(bench.ask()).toBeUndefined();
    expect(bench.refusesForMs).toBe(1);
    bench.now += 1;
    expect(bench.acquire().probe).toBe(true);
    expect(bench.state).toBe('HALF_OPEN');
  });

  it('stays OPEN for everybody to see until somebody asks', () => {
    bench.calls(5, 'failure');
    bench.now += 3_600_000;
    expect(bench.state).toBe('OPEN');
    expect(bench.refusesForMs).toBe(0);
  });

  it('stays open for as long as the provider has asked, at most an hour', () => {
    bench.calls(4, 'failure');
    bench.acquire().settle('failure', { retryAfterMs: 90_000 });
    expect(bench.refusesForMs).toBe(90_000);
    bench = new BreakerBench();
    bench.calls(4, 'failure');
    bench.acquire().settle('failure', { retryAfterMs: 1e12 });
    expect(bench.refusesForMs).toBe(3_600_000);
    bench = new BreakerBench();
    bench.calls(4, 'failure');
    bench.acquire().settle('failure', { retryAfterMs: 5 });
    expect(bench.refusesForMs).toBe(30_000);
  });

  it('breaker-late-success-ignored, breaker-late-failure-ignored: attempts from before change nothing', () => {
    const [good, bad, better, worse] = [bench.acquire(), bench.acquire(), bench.acquire(), bench.acquire()];
    bench.calls(5, 'failure');
    bench.now += 10_000;
    good.settle('success');
    bad.settle('failure');
    expect(bench.state).toBe('OPEN');
    expect(bench.refusesForMs).toBe(20_000);
    bench.now += 20_000;
    const probe = bench.acquire();
    worse.settle('failure');
    expect(bench.state).toBe('HALF_OPEN');
    probe.settle('success');
    better.settle('success');
    expect(bench.state).toBe('CLOSED');
  });
});
