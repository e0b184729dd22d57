import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { CircuitBreakerConfig } from '../../../src/engine/port/config.ts';
import { CircuitBreaker } from '../../../src/engine/target/circuit-breaker.ts';
import type { Permit } from '../../../src/engine/port/permit.ts';
import { DEFAULT_ENGINE_CONFIG } from '../../../src/engine/port/config.ts';

const LEASE_MS = 45_000;

/** A circuit that can be carried over to another one, whose clock began at another time. */
class MovingCircuit {
  readonly #config: CircuitBreakerConfig;
  #nowMs: number;
  breaker: CircuitBreaker;

  constructor(config: Partial<CircuitBreakerConfig> = {}, nowMs = 0) {
    this.#config = { ...DEFAULT_ENGINE_CONFIG.circuitBreaker, ...config };
    this.#nowMs = nowMs;
    this.breaker = new CircuitBreaker(this.#config, () => this.#nowMs);
  }

  wait(ms: number): void {
    this.#nowMs += ms;
  }

  move(nowMs: number): void {
    // Plain data: it may have been written down meanwhile.
    const snapshot: unknown = JSON.parse(JSON.stringify(this.breaker.snapshot()));
    this.#nowMs = nowMs;
    this.breaker = new CircuitBreaker(this.#config, () => this.#nowMs);
    this.breaker.restore(snapshot as ReturnType<CircuitBreaker['snapshot']>);
  }

  acquire(): Permit {
    const permit = this.breaker.acquire(LEASE_MS);
    if (permit === undefined) throw new Error('the circuit refuses');
    return permit;
  }

  calls(count: number, verdict: 'success' | 'failure' | 'neutral'): void {
    for (let call = 0; call < count; call++) this.acquire().settle(verdict);
  }
}

describe('a circuit that goes on from what another knew', () => {
  it('export-restore-keeps-open: an open one refuses for what is left of its time, then probes', () => {
    const circuit = new MovingCircuit();
    circuit.calls(5, 'failure');
    circuit.wait(1_000);
    circuit.move(1e9);
    expect(circuit.breaker.state).toBe('OPEN');
    expect(circuit.breaker.refusesForMs()).toBe(4_000);
    expect(circuit.breaker.acquire(LEASE_MS)).toBeUndefined();
    circuit.wait(4_000);
    expect(circuit.acquire().probe).toBe(true);
  });

  it('remembers failures by their age', () => {
    const circuit = new MovingCircuit();
    circuit.calls(4, 'failure');
    circuit.wait(30_000);
    circuit.move(7);
    circuit.wait(29_999);
    circuit.calls(1, 'failure');
    expect(circuit.breaker.state).toBe('OPEN');

    const later = new MovingCircuit();
    later.calls(4, 'failure');
    later.wait(30_000);
    later.move(-5);
    later.wait(30_000);
    later.calls(1, 'failure');
    expect(later.breaker.state).toBe('CLOSED');
  });

  it('makes the next call the probe where one was under way, and goes on counting generations', () => {
    const circuit = new MovingCircuit();
    circuit.calls(5, 'failure');
    circuit.wait(30_000);
    const lost = circuit.acquire();
    circuit.move(50);
    expect(circuit.breaker.state).toBe('HALF_OPEN');
    const next = circuit.acquire();
    expect(next.probe).toBe(true);
    expect(next.circuit?.generation).toBeGreaterThan(lost.circuit?.generation ?? Number.POSITIVE_INFINITY);
    lost.settle('failure');
    next.settle('success');
    expect(circuit.breaker.state).toBe('CLOSED');
  });

  it('goes on with the outage: its pauses, what free calls have found, and what is left for calls ahead of their time', () => {
    const circuit = new MovingCircuit();
    circuit.calls(5, 'failure');
    for (let call = 0; call < 5; call++) circuit.breaker.acquireAhead(LEASE_MS)?.settle('failure');
    circuit.breaker.checked(false);
    circuit.move(7);
    expect(circuit.breaker.outage).toMatchObject({ allowsAhead: false, ageMs: 0, reopensInMs: 30_000 });
    circuit.wait(9_999);
    expect(circuit.breaker.outage.allowsAhead).toBe(false);
    circuit.move(1e6);
    circuit.wait(1);
    expect(circuit.breaker.outage).toMatchObject({ allowsAhead: true, ageMs: 10_000, reopensInMs: 20_000 });
    expect(circuit.breaker.checked(true)).toBe(true);
    circuit.move(3);
    circuit.calls(1, 'failure');
    expect(circuit.breaker.refusesForMs()).toBe(20_000);
  });

  it('lets one probe at a time through for as long as the other did', () => {
    const circuit = new MovingCircuit({ probes: 2 });
    circuit.calls(5, 'failure');
    circuit.wait(5_000);
    circuit.acquire();
    circuit.move(9);
    circuit.acquire();
    expect(circuit.breaker.acquire(LEASE_MS)).toBeUndefined();
    circuit.wait(25_000);
    circuit.acquire();
    expect(circuit.breaker.acquire(LEASE_MS)).toBeUndefined();
  });

  it('remembers the probes that have succeeded, but not those that were under way', () => {
    const circuit = new MovingCircuit({ probes: 3 });
    circuit.calls(5, 'failure');
    circuit.wait(30_000);
    circuit.calls(1, 'success');
    const lost = circuit.acquire();
    circuit.move(50);
    const [one, other] = [circuit.acquire(), circuit.acquire()];
    expect(circuit.breaker.acquire(LEASE_MS)).toBeUndefined();
    lost.settle('failure');
    one.settle('success');
    expect(circuit.breaker.state).toBe('HALF_OPEN');
    other.settle('success');
    expect(circuit.breaker.state).toBe('CLOSED');
  });

  it('is closed by no new configuration that asks for fewer probes than have succeeded', () => {
    const circuit = new MovingCircuit({ probes: 3 });
    circuit.calls(5, 'failure');
    circuit.wait(30_000);
    circuit.calls(2, 'success');
    const breaker = new CircuitBreaker({ ...DEFAULT_ENGINE_CONFIG.circuitBreaker, probes: 2 }, () => 0);
    breaker.restore(circuit.breaker.snapshot());
    expect(breaker.state).toBe('HALF_OPEN');
    breaker.acquire(LEASE_MS)?.settle('success');
    expect(breaker.state).toBe('CLOSED');
  });

  it('stays closed through a few failures among many calls', () => {
    const circuit = new MovingCircuit();
    circuit.calls(500, 'success');
    circuit.calls(4, 'failure');
    circuit.wait(100);
    circuit.calls(1, 'success');
    circuit.move(60_123);
    circuit.calls(1, 'failure');
    expect(circuit.breaker.state).toBe('CLOSED');
    for (let call = 0; call < 25; call++) circuit.breaker.acquire(LEASE_MS)?.settle('failure');
    expect(circuit.breaker.state).toBe('OPEN');
  });

  it('does what the other would have done, whenever it takes over', () => {
    const step = fc.record({
      afterMs: fc.oneof(fc.nat(3_000), fc.nat(40_000)),
      verdict: fc.constantFrom<'success' | 'failure' | 'neutral'>('success', 'failure', 'failure', 'neutral'),
      retryAfterMs: fc.option(fc.nat(90_000), { nil: undefined }),
      movesTo: fc.option(fc.integer({ min: -1e6, max: 1e9 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), fc.constantFrom(1, 2, 3), (steps, probes) => {
        const stays = new MovingCircuit({ guard: false, probes });
        const moves = new MovingCircuit({ guard: false, probes });
        for (const { afterMs, verdict, retryAfterMs, movesTo } of steps) {
          if (movesTo !== undefined) moves.move(movesTo);
          for (const circuit of [stays, moves]) {
            circuit.wait(afterMs);
            circuit.breaker.acquire(LEASE_MS)?.settle(verdict, { retryAfterMs });
          }
          expect(moves.breaker.state).toBe(stays.breaker.state);
          expect(moves.breaker.refusesForMs()).toBe(stays.breaker.refusesForMs());
        }
      }),
      { numRuns: 300 },
    );
  });

  it('has as little to carry after a hundred thousand calls as after a few', () => {
    const circuit = new MovingCircuit({ guard: true });
    for (let call = 0; call < 100_000; call++) {
      circuit.wait(3);
      circuit.breaker.acquire(LEASE_MS)?.settle(call % 50 === 0 ? 'failure' : 'success');
    }
    const { failureAgesMs, successes, failures } = circuit.breaker.snapshot();
    expect(failureAgesMs.length).toBeLessThanOrEqual(5);
    expect(successes.length).toBeLessThanOrEqual(60);
    expect(failures.length).toBeLessThanOrEqual(60);
  });
});
