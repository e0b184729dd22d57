import type { Verdict } from '../../../src/core/failure.ts';
import type { Permit } from '../../../src/engine/port/permit.ts';
import { CircuitBreaker } from '../../../src/engine/target/circuit-breaker.ts';
import type { CircuitBreakerConfig } from '../../../src/engine/port/config.ts';
import { DEFAULT_ENGINE_CONFIG } from '../../../src/engine/port/config.ts';

/** After how many milliseconds a probe of the bench counts as lost. */
export const LEASE_MS = 100_000;

/** A circuit breaker with a clock of its own. */
export class BreakerBench {
  now = 1_000_000;
  readonly breaker: CircuitBreaker;

  constructor(more: Partial<CircuitBreakerConfig> = {}) {
    this.breaker = new CircuitBreaker({ ...DEFAULT_ENGINE_CONFIG.circuitBreaker, ...more }, () => this.now);
  }

  get state(): CircuitBreaker['state'] {
    return this.breaker.state;
  }

  get refusesForMs(): number {
    return this.breaker.refusesForMs();
  }

  /** Asks for a permit. */
  ask(): Permit | undefined {
    return this.breaker.acquire(LEASE_MS);
  }

  /** Asks for a permit that must be given. */
  acquire(): Permit {
    const permit = this.ask();
    if (permit === undefined) throw new Error('refused');
    return permit;
  }

  /** Makes a call that ends at once, some milliseconds after the last one. */
  call(verdict: Verdict, afterMs = 0): void {
    this.now += afterMs;
    this.acquire().settle(verdict);
  }

  /** Makes several such calls in the same moment. */
  calls(count: number, verdict: Verdict): void {
    for (let index = 0; index < count; index++) this.call(verdict);
  }

  /** Makes failures with a success behind each but the last. */
  scattered(failures: number): void {
    for (let index = 1; index < failures; index++) {
      this.call('failure');
      this.call('success', 1);
    }
    this.call('failure');
  }
}
