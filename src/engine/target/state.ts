import type { FailureReason } from '../../core/failure.ts';
import type { Runtime } from '../../core/ports.ts';
import type { ChainEntry, CircuitState, TargetHealth, TokenEstimate } from '../port/call.ts';
import type { Unavailable } from './availability.ts';
import { whyUnavailable } from './availability.ts';
import type { CircuitSnapshot, SilencesSnapshot } from '../port/circuit-snapshot.ts';
import type { Permit } from '../port/permit.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';
import { Circuits } from './circuits.ts';
import { ConcurrencyLimit } from './concurrency.ts';
import type { EngineConfig, EngineTarget } from '../port/config.ts';
import type { Cooldown } from './cooldown.ts';
import { HealthStats } from './health-stats.ts';
import { FREE_PERMIT, OperatorSwitch } from './operator-switch.ts';
import type { Pacing } from './pacing.ts';
import { NO_TOKENS } from './pacing.ts';
import { REPEAT_RATES, RESTART_RATES, RetryBudget } from './retry-budget.ts';
import { shownCircuits, shownState } from './shown-circuits.ts';

const WORSE = { CLOSED: 0, HALF_OPEN: 1, OPEN: 2 } as const satisfies Record<CircuitState, number>;

const SUSPENSION_WORDS: Partial<Record<FailureReason, string>> = {
  PROVIDER_AUTH_FAILED: 'auth',
  PROVIDER_QUOTA_EXHAUSTED: 'quota',
  PROVIDER_MODEL_NOT_FOUND: 'not_found',
};

/** What of a target outlives its engine (engine rule K10): not what a new configuration may have cured, such as a key. */
export interface TargetSnapshot {
  readonly target: string;
  /** For how many milliseconds the provider still wants to be left alone. */
  readonly coolsForMs: number;
  readonly circuits: readonly {
    readonly circuit: string;
    readonly breaker: CircuitSnapshot;
    /** Absent: the target was heard last. */
    readonly silences?: SilencesSnapshot | undefined;
  }[];
}

/** What targets of one account share. */
export interface Account {
  readonly cooldown: Cooldown;
  readonly pacing: Pacing;
}

/** All that the engine remembers of one target: circuits, response times, statistics, and the limits of its account. */
export class TargetState {
  readonly target: EngineTarget;
  readonly cooldown: Cooldown;
  readonly pacing: Pacing;
  readonly stats: HealthStats;
  /** For retries and visits in later rounds (engine rule R1). */
  readonly repeats: RetryBudget;
  /** For restarts of streams that broke off here (engine rule R2). */
  readonly restarts: RetryBudget;
  readonly concurrency: ConcurrencyLimit;
  readonly circuits: Circuits;
  readonly operator: OperatorSwitch;
  readonly #now: () => number;

  /** @param before what is known of the target already, but for its account: the two have one memory from now on */
  constructor(
    target: EngineTarget,
    { cooldown, pacing }: Account,
    config: EngineConfig,
    runtime: Runtime,
    before?: TargetState,
  ) {
    const now = (): number => runtime.now();
    this.target = target;
    this.#now = now;
    this.cooldown = cooldown;
    this.pacing = pacing;
    this.stats = before?.stats ?? new HealthStats(now);
    this.repeats = before?.repeats ?? new RetryBudget(now, REPEAT_RATES);
    this.restarts = before?.restarts ?? new RetryBudget(now, RESTART_RATES);
    this.concurrency = before?.concurrency ?? new ConcurrencyLimit(now);
    this.operator = before?.operator ?? new OperatorSwitch();
    this.circuits = before?.circuits ?? new Circuits(config.circuitBreaker, now);
    this.circuits.dropped = (model) => pacing.forget(model);
  }

  /** Returns what outlives the engine. */
  snapshot(): TargetSnapshot {
    const circuits = [...this.circuits.entries()].map(([circuit, { breaker, times }]) => ({
      circuit,
      breaker: breaker.snapshot(),
      silences: times.silences.snapshot(this.#now()),
    }));
    return { target: this.target.name, coolsForMs: this.cooldown.coolsForMs(), circuits };
  }

  /** Goes on from where a target of this name stood in another engine. */
  restore({ coolsForMs, circuits }: TargetSnapshot): void {
    if (coolsForMs > 0) this.cooldown.cool(coolsForMs);
    for (const { circuit, breaker, silences } of circuits) {
      const own = this.circuits.named(circuit);
      own.breaker.restore(breaker);
      if (silences !== undefined) own.times.silences.restore(silences, this.#now());
    }
  }

  /** Asks for the right to make an attempt on an entry; see `acquire` and, where `isAhead`, `acquireAhead` of its circuit. */
  acquire(entry: ChainEntry, leaseMs: number, isAhead = false): Permit | undefined {
    if (this.operator.of(entry.circuit, entry.model) === 'CLOSED') return FREE_PERMIT;
    const { breaker } = this.circuits.of(entry);
    return isAhead ? breaker.acquireAhead(leaseMs) : breaker.acquire(leaseMs);
  }

  /**
   * Forgets what keeps calls away: circuits, the operator's wishes, complaints, and the limits of the whole account. Attempts
   * under way settle into circuits that are no more; statistics stay.
   */
  reset(): void {
    this.circuits.reset();
    this.operator.clear();
    this.concurrency.clear();
    this.cooldown.clear();
    this.pacing.clear();
  }

  /**
   * Returns why no call of such a size may go to an entry now; undefined where one may.
   * @param isAhead whether its circuit is left out (engine rule K9)
   */
  unavailable(entry: ChainEntry, tokens: TokenEstimate = NO_TOKENS, isAhead = false): Unavailable | undefined {
    const { circuits, operator, cooldown, pacing, concurrency, stats } = this;
    const breaker = circuits.peek(entry)?.breaker;
    const paceKey = circuits.keyOf(entry);
    return whyUnavailable(
      { operator, cooldown, pacing, paceKey, breaker, concurrency, inFlight: stats.inFlight },
      entry,
      tokens,
      isAhead,
    );
  }

  /** Whether the circuit of an entry has heard of failures lately, and of no success since (engine rule R3). */
  isSuspect(entry: ChainEntry): boolean {
    return this.circuits.peek(entry)?.breaker.isSuspect ?? false;
  }

  /** Returns the circuit of an entry that is the only reason why no call of such a size may go there now; otherwise undefined. */
  refusingAlone(entry: ChainEntry, tokens: TokenEstimate = NO_TOKENS): CircuitBreaker | undefined {
    if (this.unavailable(entry, tokens, true) !== undefined) return undefined;
    return this.unavailable(entry, tokens) === undefined ? undefined : this.circuits.peek(entry)?.breaker;
  }

  /** Returns the state for people and for health services. */
  health(): TargetHealth {
    const { all, summary } = shownCircuits(this.circuits, this.operator);
    const others = shownState(this.operator.of(), 'CLOSED');
    const isUsable =
      this.operator.of() !== 'DISABLED' &&
      (all.length === 0
        ? others === 'CLOSED'
        : all.some(({ model, state }) => state === 'CLOSED' && this.cooldown.suspension(model) === undefined));
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
      circuit: all.reduce<CircuitState>((worst, { state }) => (WORSE[state] > WORSE[worst] ? state : worst), others),
      circuits: summary,
      suspendedReason: this.operator.word ?? (suspension && (SUSPENSION_WORDS[suspension.reason] ?? 'suspended')),
      rateLimitedForMs: coolsForMs > 0 ? coolsForMs : undefined,
      inFlight: stats.inFlight,
      requests: stats.requests,
      failures: stats.failures,
      tokensUsed: stats.tokensUsed,
      lastError: stats.lastError,
    };
  }
}
