/** How repeats and failovers are ordered (engine rule R3). */
export type RetryOrder = 'SAME_THEN_NEXT' | 'NEXT_FIRST' | 'EXHAUST_FIRST';

/** Whether a wait is drawn between 0 and its ceiling, or is the ceiling (engine rule R5). */
export type Jitter = 'FULL' | 'NONE';

/** When a circuit opens, for how long, and what closes it (engine rules K1 to K6). */
export interface CircuitBreakerConfig {
  /** Failures within the window that open the circuit. Default 5. */
  readonly failures: number;
  /** Length of the window in milliseconds; a failure exactly as old is outside. Default 60,000. */
  readonly windowMs: number;
  /** How long an open circuit refuses calls, in milliseconds, but for single probes that go earlier (engine rule K3). Default 30,000. */
  readonly cooldownMs: number;
  /** Probes that a half-open circuit lets through at a time; so many successes close it. 1 to 10. Default 1. */
  readonly probes: number;
  /** Whether a busy target must also fail 5 % of its calls (engine rule K2). Default true. */
  readonly guard: boolean;
}

/** How often and after which waits a call is repeated (engine rules B3, R3, R5). */
export interface RetryConfig {
  readonly order: RetryOrder;
  /** Repeats on a target already tried, per request. Default 4. */
  readonly maxRepeats: number;
  /** Ceilings of the waits, in milliseconds; the last one repeats. Default 1, 2, 4 and 8 s. */
  readonly backoffMs: readonly number[];
  readonly jitter: Jitter;
}

/** How much is under way at a time (engine rules A2, A5). */
export interface AdmissionConfig {
  /** Requests under way, 1 at least. Default 1,000. */
  readonly maxActive: number;
  /** Requests that wait for a slot. Default 100. */
  readonly maxQueued: number;
  /** Longest wait for a slot, in milliseconds; also at most a tenth of what the request has left. Default 1,000. */
  readonly maxWaitMs: number;
  /** How much of either one key may take while no other wants it, in percent: a whole number from 1 to 100. Default 80. */
  readonly maxShare: number;
}

/** All that the engine can be told. Taken as it is when a request is admitted. */
export interface EngineConfig {
  readonly circuitBreaker: CircuitBreakerConfig;
  readonly retry: RetryConfig;
  readonly admission: AdmissionConfig;
  /** Budget of a request that names none, in milliseconds. Default 600,000. */
  readonly defaultTimeoutMs: number;
  /** Longest budget of a request, in milliseconds. Default 3,600,000. */
  readonly maxTimeoutMs: number;
  /** How long a client may refuse to read, in milliseconds. Default 60,000. */
  readonly clientStallMs: number;
}

/** The defaults of the engine's rules. */
export const DEFAULT_ENGINE_CONFIG: EngineConfig = {
  circuitBreaker: { failures: 5, windowMs: 60_000, cooldownMs: 30_000, probes: 1, guard: true },
  retry: { order: 'SAME_THEN_NEXT', maxRepeats: 4, backoffMs: [1_000, 2_000, 4_000, 8_000], jitter: 'FULL' },
  admission: { maxActive: 1_000, maxQueued: 100, maxWaitMs: 1_000, maxShare: 80 },
  defaultTimeoutMs: 600_000,
  maxTimeoutMs: 3_600_000,
  clientStallMs: 60_000,
};

/** A target as the engine knows it. */
export interface EngineTarget {
  readonly name: string;
  readonly provider: string;
  /** Targets of one account share cooldowns and suspensions under this name. */
  readonly limitGroup: string;
  /** Whether the provider itself answers, not another server that speaks its API (class C12). */
  readonly ownHost: boolean;
}
