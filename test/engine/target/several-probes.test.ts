import { beforeEach, describe, expect, it } from 'vitest';

import type { Permit } from '../../../src/engine/port/permit.ts';
import { BreakerBench, LEASE_MS } from './breaker-bench.ts';

let bench: BreakerBench;

beforeEach(() => {
  bench = new BreakerBench({ probes: 3 });
  bench.calls(5, 'failure');
  bench.now += 30_000;
});

describe('a half-open circuit with three places', () => {
  it('lets as many probes through at a time as it has places', () => {
    const probes = [bench.acquire(), bench.acquire(), bench.acquire()];
    expect(probes.map(({ probe, circuit }) => ({ probe, circuit }))).toEqual(
      probes.map(() => ({ probe: true, circuit: { state: 'HALF_OPEN', generation: 2 } })),
    );
    expect(bench.ask()).toBeUndefined();
    expect(bench.refusesForMs).toBe(1_000);
  });

  it('closes with the third success, in whatever order and at whatever time they come', () => {
    const [first, second] = [bench.acquire(), bench.acquire()];
    second.settle('success');
    first.settle('success');
    expect(bench.state).toBe('HALF_OPEN');
    bench.now += 3_600_000;
    bench.call('success');
    expect(bench.state).toBe('CLOSED');
    bench.calls(4, 'failure');
    expect(bench.state).toBe('CLOSED');
  });

  it('sends no more probes than have something left to decide: a success keeps its place', () => {
    const [first, second] = [bench.acquire(), bench.acquire()];
    first.settle('success');
    bench.acquire();
    expect(bench.ask()).toBeUndefined();
    second.settle('success');
    expect(bench.ask()).toBeUndefined();
  });

  it('opens at once with the first failure and takes no notice of the other probes', () => {
    const [first, second, third] = [bench.acquire(), bench.acquire(), bench.acquire()];
    first.settle('success');
    bench.now += 4_000;
    second.settle('failure');
    expect(bench.state).toBe('OPEN');
    bench.now += 4_000;
    third.settle('failure');
    expect(bench.refusesForMs).toBe(6_000);
    third.provisionalSuccess();
    expect(bench.state).toBe('OPEN');
  });

  it('begins to count anew when it has been open again', () => {
    bench.calls(2, 'success');
    bench.call('failure');
    bench.now += 30_000;
    bench.calls(2, 'success');
    expect(bench.state).toBe('HALF_OPEN');
    bench.call('success');
    expect(bench.state).toBe('CLOSED');
  });

  it('has the place of a probe that ends neutral free for the next who asks, and the successes stand', () => {
    const [first, second, third] = [bench.acquire(), bench.acquire(), bench.acquire()];
    first.settle('success');
    second.settle('neutral');
    const next = bench.acquire();
    expect(bench.ask()).toBeUndefined();
    next.settle('success');
    third.settle('success');
    expect(bench.state).toBe('CLOSED');
  });

  it('gives the place of the probe that was lost first to the next who asks, where none is free', () => {
    const late = bench.breaker.acquire(LEASE_MS + 500);
    const lost = bench.acquire();
    bench.now += LEASE_MS;
    bench.acquire().settle('neutral');
    const [third, fourth] = [bench.acquire(), bench.acquire()];
    expect(bench.ask()).toBeUndefined();
    lost.settle('failure');
    lost.provisionalSuccess();
    expect(bench.state).toBe('HALF_OPEN');
    for (const probe of [late, third, fourth]) probe?.settle('success');
    expect(bench.state).toBe('CLOSED');
  });

  it('lets a lost probe decide as long as nobody needs its place', () => {
    const lost = bench.acquire();
    bench.now += LEASE_MS;
    bench.acquire();
    lost.settle('failure');
    expect(bench.state).toBe('OPEN');
  });
});

describe('before the cooldown is over', () => {
  beforeEach(() => {
    bench = new BreakerBench({ probes: 3 });
    bench.calls(5, 'failure');
    bench.now += 5_000;
  });

  it('one probe at a time goes through, however many places there are', () => {
    const first = bench.acquire();
    expect(bench.ask()).toBeUndefined();
    first.settle('success');
    bench.acquire();
    expect(bench.ask()).toBeUndefined();
    bench.now += 25_000;
    bench.acquire();
    expect(bench.ask()).toBeUndefined();
  });

  it('each of them must succeed all the same', () => {
    bench.calls(2, 'success');
    expect(bench.state).toBe('HALF_OPEN');
    bench.calls(1, 'success');
    expect(bench.state).toBe('CLOSED');
  });
});

describe('a probe that has succeeded provisionally', () => {
  let steady: Permit;

  beforeEach(() => {
    steady = bench.acquire();
    steady.provisionalSuccess();
  });

  it('counts once, and for longer than its lease', () => {
    steady.provisionalSuccess();
    steady.settle('success');
    bench.now += LEASE_MS;
    bench.calls(1, 'success');
    expect(bench.state).toBe('HALF_OPEN');
    bench.calls(1, 'success');
    expect(bench.state).toBe('CLOSED');
  });

  it('keeps its success when it ends neutral', () => {
    steady.settle('neutral');
    bench.calls(2, 'success');
    expect(bench.state).toBe('CLOSED');
  });

  it('opens the circuit when it fails while the circuit is half open', () => {
    steady.settle('failure');
    expect(bench.state).toBe('OPEN');
  });

  it('and fails when the circuit has closed counts as one of the new five, whichever probe has closed it', () => {
    bench.calls(2, 'success');
    bench.calls(4, 'failure');
    expect(bench.state).toBe('CLOSED');
    steady.settle('failure');
    expect(bench.state).toBe('OPEN');
  });

  it('and fails when the circuit has opened and is half open again changes nothing', () => {
    bench.call('failure');
    bench.now += 30_000;
    const next = bench.acquire();
    steady.settle('failure');
    expect(bench.state).toBe('HALF_OPEN');
    next.settle('success');
    bench.calls(2, 'success');
    expect(bench.state).toBe('CLOSED');
  });
});
