import { beforeEach, describe, expect, it } from 'vitest';

import type { Permit } from '../../../src/engine/port/permit.ts';
import { BreakerBench, LEASE_MS } from './breaker-bench.ts';

let bench: BreakerBench;

describe('a half-open circuit', () => {
  let probe: Permit;

  beforeEach(() => {
    bench = new BreakerBench();
    bench.calls(5, 'failure');
    bench.now += 30_000;
    probe = bench.acquire();
  });

  it('half-open-never-waits: refuses all others at once while one probe is under way', () => {
    for (let index = 0; index < 10; index++) expect(bench.ask()).toBeUndefined();
  });

  it('closes with the success of the probe and has forgotten the failures', () => {
    probe.settle('success');
    expect(bench.state).toBe('CLOSED');
    bench.calls(4, 'failure');
    expect(bench.state).toBe('CLOSED');
    bench.call('failure');
    expect(bench.state).toBe('OPEN');
  });

  it('opens again with the failure of the probe, for twice as long', () => {
    bench.now += 4_000;
    probe.settle('failure');
    expect(bench.state).toBe('OPEN');
    expect(bench.refusesForMs).toBe(10_000);
  });

  it('breaker-probe-cancel-neutral: stays half open and takes the next probe at once', () => {
    probe.settle('neutral');
    expect(bench.state).toBe('HALF_OPEN');
    const next = bench.acquire();
    expect(next.probe).toBe(true);
    expect(bench.ask()).toBeUndefined();
    next.settle('success');
    expect(bench.state).toBe('CLOSED');
  });

  it('probe-never-stuck: gives up a probe that never settles when its lease has run out', () => {
    bench.now += LEASE_MS - 1;
    expect(bench.ask()).toBeUndefined();
    bench.now += 1;
    const next = bench.acquire();
    expect(next.probe).toBe(true);
    probe.settle('failure');
    expect(bench.state).toBe('HALF_OPEN');
    probe.provisionalSuccess();
    expect(bench.state).toBe('HALF_OPEN');
    next.settle('success');
    expect(bench.state).toBe('CLOSED');
  });

  it('closes provisionally, and a failure of the probe after that counts as one of the new five', () => {
    probe.provisionalSuccess();
    expect(bench.state).toBe('CLOSED');
    bench.calls(4, 'failure');
    expect(bench.state).toBe('CLOSED');
    probe.settle('failure');
    expect(bench.state).toBe('OPEN');
  });

  it('ignores the end of a provisional probe once the circuit has opened again', () => {
    probe.provisionalSuccess();
    bench.calls(5, 'failure');
    bench.now += 30_000;
    const next = bench.acquire();
    probe.settle('failure');
    expect(bench.state).toBe('HALF_OPEN');
    next.settle('success');
    expect(bench.state).toBe('CLOSED');
  });

  it('is not closed by a probe that has settled already', () => {
    probe.settle('failure');
    probe.provisionalSuccess();
    expect(bench.state).toBe('OPEN');
  });
});
