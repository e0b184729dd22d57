import type { FailureReason } from '../core/failure.ts';
import type { Runtime } from '../core/ports.ts';
import type { ChainEntry, CircuitState, TargetHealth } from './call.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import type { EngineConfig, EngineTarget } from './config.ts';
import type { Cooldown } from './cooldown.ts';
import { HealthStats } from './health-stats.ts';
import { ResponseTimes } from './response-times.ts';

/** Why no call may go to an entry now, and for how many milliseconds. */
export interface Unavailable {
  readonly reason: FailureReason;
  readonly forMs: number;
}

/**
 * Whether it is worth waiting for an entry: a rate limit ends; an open circuit is not waited for (engine rule K9), and a
 * suspension is for the next request to try.
 */
export function comesBack(unavailable: Unavailable | undefined): boolean {
  return unavailable === undefined || unavailable.reason === 'PROVIDER_RATE_LIMITED';
}

const WORSE = { CLOSED: 0, HALF_OPEN: 1, OPEN: 2 } as const satisfies Record<CircuitState, number>;

const SUSPENSION_WORDS: Partial<Record<FailureReason, string>> = {
  PROVIDER_AUTH_FAILED: 'auth',
  PROVIDER_QUOTA_EXHAUSTED: 'quota',
  PROVIDER_MODEL_NOT_FOUND: 'not_found',
};

/** All that the engine remembers of one target: circuits, response times, statistics, and the cooldowns of its account. */
export class TargetState {
  readonly target: EngineTarget;
  readonly cooldown: Cooldown;
  readonly stats: HealthStats;
  readonly #config: EngineConfig;
  readonly #runtime: Runtime;
  /** By circuit key, which is bounded: configured and catalogued models, and `other`. */
  readonly #circuits = new Map<string, { readonly breaker: CircuitBreaker; readonly times: ResponseTimes }>();

  constructor(target: EngineTarget, cooldown: Cooldown, config: EngineConfig, runtime: Runtime) {
    this.target = target;
    this.cooldown = cooldown;
    this.stats = new HealthStats(() => runtime.now());
    this.#config = config;
    this.#runtime = runtime;
  }

  /** Returns the circuit of an entry, made when first asked for. */
  circuit(entry: ChainEntry): { readonly breaker: CircuitBreaker; readonly times: ResponseTimes } {
    const known = this.#circuits.get(entry.circuit);
    if (known !== undefined) return known;
    const now = (): number => this.#runtime.now();
    const made = { breaker: new CircuitBreaker(this.#config.circuitBreaker, now), times: new ResponseTimes(now) };
    this.#circuits.set(entry.circuit, made);
    return made;
  }

  /** Returns why no call may go to an entry now; undefined where one may (engine, "State machines"). */
  unavailable(entry: ChainEntry): Unavailable | undefined {
    const refusal = this.cooldown.refusal(entry.model);
    if (refusal !== undefined) return refusal;
    const forMs = this.#circuits.get(entry.circuit)?.breaker.refusesForMs() ?? 0;
    return forMs > 0 ? { reason: 'CIRCUIT_OPEN', forMs } : undefined;
  }

  /** Returns the 95th percentile of the answering times of an entry, in milliseconds; undefined without data. */
  p95Ms(entry: ChainEntry, streams: boolean): number | undefined {
    return this.#circuits.get(entry.circuit)?.times.p95Ms(streams);
  }

  /** Returns the state for people and for health services. */
  health(): TargetHealth {
    const circuits = [...this.#circuits].map(([model, { breaker }]) => ({
      model,
      state: breaker.state,
      reopensInMs: breaker.state === 'OPEN' ? breaker.refusesForMs() : undefined,
    }));
    const isUsable =
      circuits.length === 0 ||
      circuits.some(({ model, state }) => state === 'CLOSED' && this.cooldown.suspension(model) === undefined);
    const suspension = this.cooldown.suspension() ?? (isUsable ? undefined : this.cooldown.suspensionOfAnyModel());
    const coolsForMs = this.cooldown.coolsForMs();
    const stats = this.stats;
    return {
      target: this.target.name,
      provider: this.target.provider,
      available: isUsable && suspension === undefined,
      successRate: stats.successRate(),
      averageLatencyMs: stats.averageLatencyMs(),
      latencyP50Ms: stats.latencyMs(0.5),
      latencyP95Ms: stats.latencyMs(0.95),
      firstOutputP95Ms: stats.firstOutputMs(0.95),
      circuit: circuits.reduce<CircuitState>(
        (worst, { state }) => (WORSE[state] > WORSE[worst] ? state : worst),
        'CLOSED',
      ),
      circuits,
      suspendedReason: suspension === undefined ? undefined : (SUSPENSION_WORDS[suspension.reason] ?? 'suspended'),
      rateLimitedForMs: coolsForMs > 0 ? coolsForMs : undefined,
      inFlight: stats.inFlight,
      requests: stats.requests,
      failures: stats.failures,
      tokensUsed: stats.tokensUsed,
      lastError: stats.lastError,
    };
  }
}
