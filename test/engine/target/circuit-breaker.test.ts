import { beforeEach, describe, expect, it } from 'vitest';

import { BreakerBench, LEASE_MS } from './breaker-bench.ts';

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
  it('refuses for 5 s and lets a single probe through at the first moment after', () => {
    bench.calls(5, 'failure');
    bench.now += 4_999;
    expect(bench.ask()).toBeUndefined();
    expect(bench.refusesForMs).toBe(1);
    bench.now += 1;
    expect(bench.acquire().probe).toBe(true);
    expect(bench.state).toBe('HALF_OPEN');
    expect(bench.ask()).toBeUndefined();
  });

  it('refuses for twice as long with each probe that fails, 20 s at most, and begins anew once it was closed', () => {
    bench.calls(5, 'failure');
    const pauses: number[] = [];
    for (let probe = 0; probe < 5; probe++) {
      pauses.push(bench.refusesForMs);
      bench.now += bench.refusesForMs;
      bench.call('failure');
    }
    expect(pauses).toEqual([5_000, 10_000, 20_000, 20_000, 20_000]);
    bench.now += 30_000;
    bench.call('success');
    bench.calls(5, 'failure');
    expect(bench.refusesForMs).toBe(5_000);
  });

  it('lets no probe go early where the target was silent: it would cost its caller as much time again', () => {
    bench.calls(4, 'failure');
    bench.acquire().settle('failure', { wasSilent: true });
    expect(bench.refusesForMs).toBe(30_000);
  });

  it('lets the next probe go at once where a free call finds the target back, and at the end of the cooldown while it is down', () => {
    bench.calls(5, 'failure');
    bench.now += 2_000;
    expect(bench.breaker.checked(true)).toBe(false);
    expect(bench.refusesForMs).toBe(3_000);
    bench.breaker.checked(false);
    expect(bench.refusesForMs).toBe(28_000);
    bench.now += 5_000;
    expect(bench.breaker.checked(true)).toBe(true);
    expect(bench.state).toBe('OPEN');
    expect(bench.refusesForMs).toBe(0);
    bench.call('failure');
    // It may answer free calls, but no others.
    expect(bench.breaker.checked(true)).toBe(false);
    expect(bench.refusesForMs).toBe(10_000);
  });

  it('lets no free call cut short what the provider has asked for', () => {
    bench.calls(4, 'failure');
    bench.acquire().settle('failure', { retryAfterMs: 20_000 });
    bench.breaker.checked(false);
    bench.now += 5_000;
    bench.breaker.checked(true);
    expect(bench.refusesForMs).toBe(15_000);
    expect(bench.breaker.acquireAhead(LEASE_MS)).toBeUndefined();
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
    expect(bench.refusesForMs).toBe(5_000);
  });

  it('breaker-late-success-ignored, breaker-late-failure-ignored: attempts from before change nothing', () => {
    const [good, bad, better, worse] = [bench.acquire(), bench.acquire(), bench.acquire(), bench.acquire()];
    bench.calls(5, 'failure');
    bench.now += 1_000;
    good.settle('success');
    bad.settle('failure');
    expect(bench.state).toBe('OPEN');
    expect(bench.refusesForMs).toBe(4_000);
    bench.now += 4_000;
    const probe = bench.acquire();
    worse.settle('failure');
    expect(bench.state).toBe('HALF_OPEN');
    probe.settle('success');
    better.settle('success');
    expect(bench.state).toBe('CLOSED');
  });
});

describe('a call ahead of its time', () => {
  const ahead = (verdict?: 'success' | 'failure' | 'neutral') => {
    const permit = bench.breaker.acquireAhead(LEASE_MS);
    if (verdict !== undefined) permit?.settle(verdict);
    return permit;
  };

  it('is a probe where a place is free, and goes beside it where none is', () => {
    bench.calls(5, 'failure');
    const probe = ahead();
    expect(bench.state).toBe('HALF_OPEN');
    expect(probe).toMatchObject({ probe: true, decides: true });
    expect(ahead('failure')).toMatchObject({ probe: true, decides: false });
    ahead('success');
    expect(bench.state).toBe('HALF_OPEN');
    probe?.settle('success');
    expect(bench.state).toBe('CLOSED');
  });

  it('is one of five, then one in ten seconds, and each success brings two', () => {
    bench.calls(5, 'failure');
    for (let call = 0; call < 5; call++) expect(ahead('failure')).toBeDefined();
    expect(ahead()).toBeUndefined();
    bench.now += 9_999;
    expect(bench.breaker.outage.allowsAhead).toBe(false);
    bench.now += 1;
    expect(ahead()).toBeDefined();
    expect(ahead()).toBeUndefined();
    bench.now += 10_000;
    ahead('success');
    expect([ahead('failure'), ahead('failure'), ahead()].map((permit) => permit !== undefined)).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('counts in the share of successes by which the least failing is chosen', () => {
    bench.calls(5, 'failure');
    expect(bench.breaker.successShare).toBe(0);
    ahead();
    for (let call = 0; call < 2; call++) ahead('success');
    expect(bench.breaker.successShare).toBeCloseTo(2 / 7);
  });
});
